import type { ReleaseStatus } from "../../api/types.ts";
import { KirikaeError } from "../../core/diagnostics/error.ts";
import type { ReleaseCommand } from "../../core/release/state/release-state.ts";
import type { KubeObject } from "../../kubernetes/kube-object.ts";
import type { ControlledReleases } from "../controlled-releases.ts";
import { isEnded } from "../status/build-status.ts";

/** Keeps a Release in the cluster until what it has changed is settled. */
export const releaseFinalizer = "kirikae.dev/release";

/** What a deletion waits for; `done` lets the object go. */
export type DeletionStep =
  | { readonly kind: "done" }
  /** What happens to the release is told when it happens; this is when to look again in any case. */
  | { readonly kind: "waits"; readonly message: string; readonly againMs: number };

/** What a deleted object has begun last; undefined where it has begun nothing, or that is forgotten. */
export interface DeletedRelease {
  readonly id: string | undefined;
  readonly release: ReleaseStatus | undefined;
}

/** A way back that has failed is tried again after so long. */
const retryMs = 30_000;
const actor = "kubernetes";
const reason = "the Release was deleted";

/**
 * Brings what a deleted Release was doing to an end: back to where it was, or stopped where it is, as the file says.
 * What it has laid over routes goes in both cases. Call it again whenever something has happened to the release.
 */
export async function finishDeletion(
  object: KubeObject,
  { id, release }: DeletedRelease,
  { releases, nowMs }: { readonly releases: Pick<ControlledReleases, "order" | "forget">; readonly nowMs: number },
): Promise<DeletionStep> {
  if (release === undefined || isEnded(release)) {
    // One that is forgotten already may have left something: what it had laid could not be taken away then.
    if (id !== undefined) await releases.forget(id);
    return { kind: "done" };
  }
  const restores = whenDeleted(object) === "restore";
  const command = restores ? towardsRestored(release, nowMs) : towardsLeft(release);
  const what = restores ? "takes its traffic back before it goes" : "stops where it is before it goes";
  if (command === undefined) return { kind: "waits", message: `deleted; ${what}`, againMs: 5_000 };
  try {
    releases.order(release.release, { command, actor, reason });
  } catch (error) {
    if (!(error instanceof KirikaeError)) throw error;
    return { kind: "waits", message: `deleted; ${what}: ${error.message}`, againMs: 2_000 };
  }
  return { kind: "waits", message: `deleted; ${what}`, againMs: 1_000 };
}

/** What the file says now, because it is now that it is deleted. */
function whenDeleted({ spec }: KubeObject): unknown {
  return typeof spec === "object" && spec !== null && "whenDeleted" in spec ? spec.whenDeleted : "leave";
}

/** Undefined where it is on its way already. */
function towardsRestored({ phase, events }: ReleaseStatus, nowMs: number): ReleaseCommand | undefined {
  if (phase === "rollingBack") return undefined;
  const wasAsked = events.some((event) => event.kind === "rollback" && event.reason === reason);
  if (phase === "failed" && wasAsked) {
    return nowMs - (events.at(-1)?.atMs ?? 0) < retryMs ? undefined : { kind: "retry" };
  }
  // Weights that move cannot be stopped halfway; the release stops after them.
  return phase === "moving" || phase === "setting" || phase === "redoing" ? pauseOnce(events) : { kind: "rollback" };
}

function towardsLeft({ phase, events }: ReleaseStatus): ReleaseCommand | undefined {
  return phase === "moving" || phase === "setting" || phase === "redoing" ? pauseOnce(events) : { kind: "abort" };
}

function pauseOnce(events: ReleaseStatus["events"]): ReleaseCommand | undefined {
  const isAsked = events.some((event) => event.kind === "pause" && event.reason === reason);
  return isAsked ? undefined : { kind: "pause" };
}
