import type { PausedWait, ReleasePhase } from "./release-state.ts";

/** What a pause of this phase interrupts: null before a step, undefined where nothing can be paused. */
export function waitOf(phase: ReleasePhase, atMs: number): PausedWait | null | undefined {
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
    case "moving":
    case "paused":
    case "failed":
    case "setting":
    case "rollingBack":
    case "redoing":
    case "done":
    case "aborted":
    case "rolledBack":
      return undefined;
  }
}
