import type { ReleaseStatus } from "../../api/types.ts";
import { isOver } from "../../core/release/state/release-phase.ts";
import type { ReleaseCommand } from "../../core/release/state/release-state.ts";

/** How a release that nobody carries out is told something by whoever takes it up for that. */
export type OrderPlan =
  /** Before anything of it goes on. */
  | { readonly kind: "atOnce" }
  /** It goes on as it was left, which is all that was asked for. */
  | { readonly kind: "goOn" }
  /** A step was under way, which ends first: half a step cannot be told anything. */
  | { readonly kind: "afterStep"; readonly pauses: boolean };

type LeftRelease = Pick<ReleaseStatus, "phase" | "untilMs">;

/** What is done for a command, by how the release was left. */
export function planOrder(command: ReleaseCommand, left: LeftRelease): OrderPlan {
  const { kind } = command;
  const { phase } = left;
  if (kind === "resume") return goesOnAlone(left) ? { kind: "goOn" } : { kind: "atOnce" };
  // Whoever says it again after the process has died on the way back wants that way to be gone to its end.
  if (kind === "rollback" && phase === "rollingBack" && command.now !== true) return { kind: "goOn" };
  const endsIt = kind === "abort" || kind === "rollback" || kind === "set";
  if (endsIt && (phase === "moving" || phase === "setting" || phase === "redoing")) {
    // What is set or brought back rests afterwards; after a step forward the next one would begin.
    return { kind: "afterStep", pauses: phase === "moving" };
  }
  return { kind: "atOnce" };
}

/** Whether nothing is left to be done for it here: it has ended, has failed, or waits for a person. */
export function isAtRest(status: LeftRelease): boolean {
  return isOver({ kind: status.phase }) || status.phase === "failed" || waitsForPerson(status);
}

/** `paused` of `wait`: every phase that only a person ends. */
export function waitsForPerson({ phase, untilMs }: LeftRelease): boolean {
  return phase === "paused" || phase === "awaiting" || (phase === "holding" && untilMs === null);
}

/** Whether what came of a command is what it asks for. `told` is the release right after it. */
export function isAsAsked(
  { kind }: ReleaseCommand,
  { told, ended }: { readonly told: Pick<ReleaseStatus, "phase">; readonly ended: LeftRelease },
): boolean {
  if (kind === "abort") return ended.phase === "aborted";
  if (kind === "reject") return ended.phase === "failed";
  if (told.phase === "rollingBack") return ended.phase === "rolledBack";
  return ended.phase === "done" || waitsForPerson(ended);
}

/** Whether somebody only has to carry it out. */
export function goesOnAlone(status: LeftRelease): boolean {
  return !isAtRest(status);
}
