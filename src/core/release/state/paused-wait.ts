import { isMovingPhase, isEndedPhase } from "./release-phase.ts";
import type { PausedWait, ReleasePhase } from "./release-state.ts";

/** What a pause of this phase interrupts: null before a step, undefined where nothing can be paused. */
export function waitOf(phase: ReleasePhase, atMs: number): PausedWait | null | undefined {
  if (isMovingPhase(phase) || isEndedPhase(phase)) return undefined;
  switch (phase.kind) {
    case "holding":
      return { kind: "hold", remainingMs: phase.untilMs === null ? null : Math.max(0, phase.untilMs - atMs) };
    case "checking":
      return { kind: "check" };
    case "awaiting":
      return { kind: "approve", approvals: phase.approvals };
    case "frozen":
      return null;
    case "planned":
    case "paused":
    case "failed":
      return undefined;
  }
}
