import { forwardEffect } from "../core/release/enter-step.ts";
import { approvalOf, earliestExpiry } from "../core/release/gather-approvals.ts";
import type { ReleaseEffect, ReleaseState, StepPlans } from "../core/release/release-state.ts";

/** What a release was doing when its process ended, so that the next one does it; undefined where it waits for people. */
export function pendingEffect({
  plan,
  state: { phase },
}: {
  readonly plan: StepPlans;
  readonly state: ReleaseState;
}): ReleaseEffect | undefined {
  switch (phase.kind) {
    case "moving":
      return forwardEffect(plan, phase.step);
    case "checking":
      return { kind: "judge", step: phase.step };
    case "holding":
      return wakeUp(phase.untilMs ?? undefined);
    case "frozen":
      return { kind: "wakeAt", atMs: phase.untilMs };
    case "awaiting":
      return wakeUp(earliestExpiry(approvalOf(plan, phase.step), phase.approvals));
    case "rollingBack":
      return { kind: "moveBack", step: phase.step, actor: phase.actor, notBeforeMs: 0 };
    case "setting":
      return { kind: "setWeights", step: phase.step, actor: phase.actor, shares: phase.shares };
    case "redoing":
      return { kind: "redo", step: phase.step, actor: phase.actor };
    case "planned":
    case "paused":
    case "failed":
    case "done":
    case "aborted":
    case "rolledBack":
      return undefined;
  }
}

function wakeUp(atMs: number | undefined): ReleaseEffect | undefined {
  return atMs === undefined ? undefined : { kind: "wakeAt", atMs };
}
