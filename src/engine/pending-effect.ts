import { forwardEffect } from "../core/release/state/enter-step.ts";
import type { ReleaseEffect, ReleasePhase, ReleaseState, StepPlans } from "../core/release/state/release-state.ts";
import { waitsUntil } from "../core/release/state/waits-until.ts";

/** What a release was doing when its process ended, so that the next one does it; undefined where it waits for people. */
export function pendingEffect({
  plan,
  state: { phase },
}: {
  readonly plan: StepPlans;
  readonly state: ReleaseState;
}): ReleaseEffect | undefined {
  const untilMs = waitsUntil(plan, phase);
  return untilMs === null ? workOf(plan, phase) : { kind: "wakeAt", atMs: untilMs };
}

function workOf(plan: StepPlans, phase: ReleasePhase): ReleaseEffect | undefined {
  switch (phase.kind) {
    case "moving":
      return forwardEffect(plan, phase.step);
    case "checking":
      return { kind: "judge", step: phase.step };
    case "rollingBack":
      return { kind: "moveBack", step: phase.step, actor: phase.actor, notBeforeMs: 0 };
    case "setting":
      return { kind: "setWeights", step: phase.step, actor: phase.actor, shares: phase.shares };
    case "redoing":
      return { kind: "redo", step: phase.step, actor: phase.actor };
    case "planned":
    case "holding":
    case "frozen":
    case "awaiting":
    case "paused":
    case "failed":
    case "done":
    case "aborted":
    case "rolledBack":
      return undefined;
  }
}
