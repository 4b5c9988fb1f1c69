import type { ReleaseStatus } from "../../api/types.ts";
import { KirikaeError } from "../../core/diagnostics/error.ts";
import { siteAnnotations } from "../../core/site/site-object.ts";
import type { KubeApi } from "../../kubernetes/kube-api.ts";
import { KubeError } from "../../kubernetes/kube-error.ts";
import { kubeKinds } from "../../kubernetes/kube-kinds.ts";
import type { KubeObject } from "../../kubernetes/kube-object.ts";
import type { ControlledReleases } from "../controlled-releases.ts";
import { isEnded } from "../status/build-status.ts";
import type { OrderStatus } from "../status/release-status.ts";
import { controllerManager, readStatus, writeStatus } from "../status/write-status.ts";
import { parseOrder, type ParsedOrder } from "./parse-order.ts";

export interface OrderParts {
  readonly api: Pick<KubeApi, "get" | "mergePatch">;
  readonly releases: Pick<ControlledReleases, "order">;
  /** What the Release has begun last; undefined where it has begun nothing. */
  readonly newest: () => ReleaseStatus | undefined;
  /** Takes what a write has answered, so that nothing older is read afterwards. */
  readonly take: (object: KubeObject) => void;
  readonly nowMs: () => number;
}

export interface CarriedOut {
  readonly object: KubeObject;
  readonly order: OrderStatus;
  /** It is to be begun anew. */
  readonly starts: boolean;
}

/**
 * Does once what the annotation of a Release asks for. The status says that the order is taken before anything is done,
 * so that a controller that finds it so later can read in the journal whether it was done. Undefined where nothing is
 * asked for. Rejects with KubeError or KIR2023 where it has to be tried again.
 */
export async function carryOutOrder(object: KubeObject, parts: OrderParts): Promise<CarriedOut | undefined> {
  const text = object.metadata.annotations?.[siteAnnotations.order];
  const last = readStatus(object).lastOrder;
  const isTaken = last?.state === "Taken";
  if (text === undefined) return isTaken ? settle(object, last, parts) : undefined;
  const parsed = parseOrder(text);
  const found = isTaken && last.order === text ? { object, order: last } : await claim(object, { text, parsed }, parts);
  const outcome = wasDone(parsed, found.order, parts.newest()) ? accepted() : execute(found, parsed, parts);
  const clean = await removeAnnotation(found.object, text, parts);
  return { object: clean, order: { ...found.order, ...outcome.order }, starts: outcome.starts };
}

interface Outcome {
  readonly order: Pick<OrderStatus, "state" | "message">;
  readonly starts: boolean;
}

function accepted(starts = false): Outcome {
  return { order: { state: "Accepted" }, starts };
}

function refused(message: string): Outcome {
  return { order: { state: "Refused", message }, starts: false };
}

/** Its annotation is gone, and whether it was carried out before nobody wrote down, the journal knows. */
function settle(object: KubeObject, order: OrderStatus, parts: OrderParts): CarriedOut {
  const parsed = parseOrder(order.order);
  const outcome = wasDone(parsed, order, parts.newest())
    ? accepted()
    : refused("a controller ended before it was carried out; ask again");
  return { object, order: { ...order, ...outcome.order }, starts: false };
}

async function claim(
  object: KubeObject,
  { text, parsed }: { readonly text: string; readonly parsed: ParsedOrder },
  { api, take, nowMs }: OrderParts,
): Promise<Pick<CarriedOut, "object" | "order">> {
  const { actor = "kubernetes", reason } = parsed.kind === "order" ? parsed : {};
  const at = new Date(nowMs()).toISOString();
  const order: OrderStatus = { order: text, actor, at, state: "Taken", ...(reason !== undefined && { reason }) };
  const { resourceVersion } = object.metadata;
  const status = { ...readStatus(object), lastOrder: order };
  const written = (await writeStatus(api, object, { status, resourceVersion })) ?? object;
  take(written);
  return { object: written, order };
}

/** Whether the journal has the event that the order leads to. */
function wasDone(parsed: ParsedOrder, { at, actor }: OrderStatus, newest: ReleaseStatus | undefined): boolean {
  if (parsed.kind === "wrong" || newest === undefined) return false;
  const sinceMs = Date.parse(at);
  const { command } = parsed;
  if (command.kind === "start") return Date.parse(newest.startedAt) >= sinceMs;
  return newest.events.some(
    (event) => "actor" in event && event.kind === command.kind && event.actor === actor && event.atMs >= sinceMs,
  );
}

function execute(
  { object, order }: Pick<CarriedOut, "object" | "order">,
  parsed: ParsedOrder,
  { releases, newest }: OrderParts,
): Outcome {
  if (parsed.kind === "wrong") return refused(`the order ${parsed.why}`);
  const release = newest();
  const { command } = parsed;
  if (command.kind === "start") {
    return release === undefined || isEnded(release) ? accepted(true) : refused("it is under way");
  }
  if (release === undefined) return refused("it has not begun");
  try {
    const { namespace = "", name } = object.metadata;
    releases.order(`${namespace}/${name}`, { command, actor: order.actor, reason: order.reason });
    return accepted();
  } catch (error) {
    // While the journal cannot be written nothing is decided.
    if (!(error instanceof KirikaeError) || error.code === "KIR2023" || error.code === "KIR2024") throw error;
    return refused(error.message);
  }
}

/** Only this one: somebody may have asked for something else meanwhile. */
async function removeAnnotation(object: KubeObject, text: string, { api, take }: OrderParts): Promise<KubeObject> {
  let current = object;
  for (;;) {
    const { namespace, name, annotations = {}, resourceVersion } = current.metadata;
    if (annotations[siteAnnotations.order] !== text) return current;
    const metadata = { resourceVersion, annotations: { [siteAnnotations.order]: null } };
    try {
      const options = { fieldManager: controllerManager, patch: { metadata } };
      const written = await api.mergePatch(kubeKinds.release, { namespace, name }, options);
      take(written);
      return written;
    } catch (error) {
      if (!(error instanceof KubeError) || error.status !== 409) throw error;
      const found = await api.get(kubeKinds.release, { namespace, name });
      if (found === undefined) return current;
      current = found;
    }
  }
}
