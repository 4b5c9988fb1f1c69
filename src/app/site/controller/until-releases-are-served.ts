import { setTimeout as delay } from "node:timers/promises";
import type { KubeApi } from "../../../kubernetes/kube-api.ts";
import { kubeKinds } from "../../../kubernetes/kube-kinds.ts";

const retryMs = 2_000;

/**
 * A kind that is not served when its watch would begin is not watched, and an installation may bring the Deployment
 * before the definition.
 */
export async function untilReleasesAreServed(
  api: KubeApi,
  { stop, onTrouble }: { readonly stop: AbortSignal; readonly onTrouble: (message: string) => void },
): Promise<void> {
  if (await api.serves(kubeKinds.release)) return;
  onTrouble("the API server does not serve Releases; waits for `kirikae schema --crd | kubectl apply -f -`");
  do await delay(retryMs, undefined, { signal: stop }).catch(() => undefined);
  while (!stop.aborted && !(await api.serves(kubeKinds.release)));
}
