import type { Controller } from "../../../controller/controller.ts";
import { kubeKinds } from "../../../kubernetes/kube-kinds.ts";
import type { Webhook } from "../../../webhook/start-webhook.ts";
import type { WatchedObjects } from "../objects/watched-objects.ts";

/** What of a controller runs by now. */
export interface ControllerState {
  controller: Controller | undefined;
  /** While it leads. */
  mesh: { takeChanges(): void } | undefined;
  webhook: Webhook | undefined;
}

/** What a controller tells of itself. */
interface Health {
  readonly isReady: boolean;
  readonly text: string;
  readonly figures: Readonly<Record<string, number>>;
}

/** Objects that are older than this are not said to be current. */
const staleMs = 60_000;

export function describeHealth({ controller, webhook }: ControllerState, objects: WatchedObjects | undefined): Health {
  const isCurrent = controller !== undefined && objects !== undefined && !objects.isStale(staleMs);
  const isReady = isCurrent && webhook?.isReady !== false;
  const role = controller?.isWorking === true ? "leads" : `waits; ${controller?.leader ?? "nobody"} leads`;
  const releases = objects?.objects(kubeKinds.release).length ?? 0;
  return {
    isReady,
    text: isReady ? role : whyNotReady(isCurrent),
    figures: {
      kirikae_controller_leads: controller?.isWorking === true ? 1 : 0,
      kirikae_controller_ready: isReady ? 1 : 0,
      kirikae_releases: releases,
    },
  };
}

function whyNotReady(isCurrent: boolean): string {
  return isCurrent ? "the webhook has no certificate yet" : "the objects of the cluster are not current";
}
