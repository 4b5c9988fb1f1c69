import type { ReleasePhase } from "./release-state.ts";

export type EndedPhase = Extract<ReleasePhase, { kind: "done" | "aborted" | "rolledBack" }>;
export type MovingPhase = Extract<ReleasePhase, { kind: "moving" | "setting" | "rollingBack" | "redoing" }>;

/** Where nothing goes on any more; only a rollback begins anew from there. */
export function isOver({ kind }: Pick<ReleasePhase, "kind">): boolean {
  return kind === "done" || kind === "aborted" || kind === "rolledBack";
}

/** While weights move, or what is laid over the routes changes. */
export function isMoving({ kind }: Pick<ReleasePhase, "kind">): boolean {
  return kind === "moving" || kind === "setting" || kind === "rollingBack" || kind === "redoing";
}

export function isMovingPhase(phase: ReleasePhase): phase is MovingPhase {
  return isMoving(phase);
}

export function isEndedPhase(phase: ReleasePhase): phase is EndedPhase {
  return isOver(phase);
}

/** Between two moves, where the weights of the steps before are to be live. */
export function isBetweenMoves({ kind }: ReleasePhase): boolean {
  return kind === "holding" || kind === "checking" || kind === "awaiting" || kind === "frozen" || kind === "paused";
}

/** Counts from 0, as in the phase; 0 before the first step and after the last. */
export function stepOf(phase: ReleasePhase): number {
  return "step" in phase ? phase.step : 0;
}

/** A few words that follow "it is". */
export function describePhase(phase: ReleasePhase): string {
  switch (phase.kind) {
    case "moving":
      return "moving weights";
    case "holding":
      return "holding";
    case "checking":
      return "checking what the new version answers";
    case "awaiting":
      return "waiting for approval";
    case "frozen":
      return "waiting for the end of a freeze";
    case "setting":
      return "having its weights set by hand";
    case "rollingBack":
      return "being rolled back";
    case "redoing":
      return "being brought back to where it was";
    case "rolledBack":
      return "rolled back";
    case "failed":
      return "stopped by a failure";
    case "planned":
    case "paused":
    case "done":
    case "aborted":
      return phase.kind;
  }
}
