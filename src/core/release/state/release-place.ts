import { waitOf } from "./paused-wait.ts";
import { stepOf } from "./release-phase.ts";
import type { Place, ReleasePhase } from "./release-state.ts";

/** Where a release that is taken back from this phase will be, should the way back be undone: paused, or done. */
export function placeOf(phase: ReleasePhase, atMs: number): Place {
  if (phase.kind === "done") return { kind: "done" };
  const within = phase.kind === "paused" ? phase.within : (waitOf(phase, atMs) ?? null);
  return { kind: "paused", step: stepOf(phase), within };
}

/** Whether the step that a phase names has not begun. */
export function isBeforeStep(phase: ReleasePhase): boolean {
  return phase.kind === "planned" || phase.kind === "frozen" || (phase.kind === "paused" && phase.within === null);
}
