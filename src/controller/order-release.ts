import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { KirikaeError } from "../core/diagnostics/error.ts";
import type { ReleaseCommand } from "../core/release/state/release-state.ts";
import { siteAnnotations } from "../core/site/site-object.ts";
import type { KubeApi } from "../kubernetes/kube-api.ts";
import { kubeKinds } from "../kubernetes/kube-kinds.ts";
import type { KubeObject } from "../kubernetes/kube-object.ts";
import { emitOrder } from "./orders/parse-order.ts";
import type { OrderStatus } from "./status/release-status.ts";
import { readStatus } from "./status/write-status.ts";

export interface ClusterOrder {
  readonly api: Pick<KubeApi, "get" | "mergePatch">;
  /** `namespace/name` of a Release in the cluster. */
  readonly release: string;
  readonly command: ReleaseCommand;
  readonly actor: string;
  readonly reason: string | undefined;
  /** How long the controller may take to answer; 30 s. */
  readonly timeoutMs?: number;
}

const defaultTimeoutMs = 30_000;
const lookMs = 200;

/**
 * Tells a Release of the cluster what to do, by its annotation, and waits until the controller has said what became of
 * it.
 * @throws KIR2035 where there is no such Release; KIR4074 where the order was refused, another one waits, or no
 * controller has answered in time; KubeError where the API server does not let this person annotate it
 */
export async function orderRelease(order: ClusterOrder): Promise<OrderStatus> {
  const { api, release, timeoutMs = defaultTimeoutMs } = order;
  const [namespace = "", name = ""] = release.split("/");
  const place = { namespace, name };
  const found = await api.get(kubeKinds.release, place);
  if (found === undefined) throw noRelease(release);
  const waiting = found.metadata.annotations?.[siteAnnotations.order];
  if (waiting !== undefined) throw notTaken(release, `the order ${waiting} before it has not been taken`);
  // The same order given twice is two orders.
  const text = emitOrder({ ...order, id: randomUUID().slice(0, 8) });
  const { resourceVersion } = found.metadata;
  const metadata = { resourceVersion, annotations: { [siteAnnotations.order]: text } };
  await api.mergePatch(kubeKinds.release, place, { fieldManager: "kirikae-cli", patch: { metadata } });
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const object = await api.get(kubeKinds.release, place);
    if (object === undefined) throw noRelease(release);
    const outcome = findOutcome(object, text);
    if (outcome?.state === "Refused") throw notTaken(release, outcome.message ?? "it was refused");
    if (outcome?.state === "Accepted") return outcome;
    if (performance.now() > deadline) {
      throw notTaken(release, `no controller has answered within ${Math.round(timeoutMs / 1_000)} s`);
    }
    await delay(lookMs);
  }
}

function findOutcome(object: KubeObject, text: string): OrderStatus | undefined {
  const { lastOrder } = readStatus(object);
  return lastOrder?.order === text && lastOrder.state !== "Taken" ? lastOrder : undefined;
}

function noRelease(release: string): KirikaeError {
  return new KirikaeError("KIR2035", `The cluster has no Release ${release}.`, {
    exitStatus: 2,
    hint: "`kubectl get releases --all-namespaces` lists those that there are.",
  });
}

function notTaken(release: string, why: string): KirikaeError {
  return new KirikaeError("KIR4074", `${release} was not told: ${why}.`, {
    exitStatus: 1,
    hint: `\`kubectl describe release\` shows what it is doing; the annotation ${siteAnnotations.order} is taken away when a controller has read it.`,
  });
}
