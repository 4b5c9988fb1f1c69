import { approvalOf, earliestExpiry } from "./gather-approvals.ts";
import type { ReleasePhase, StepPlans } from "./release-state.ts";

/** When what a release waits for changes by itself: a hold or a freeze ends, a yes expires; null where it does not. */
export function waitsUntil(plan: Pick<StepPlans, "steps">, phase: ReleasePhase): number | null {
  if (phase.kind === "holding" || phase.kind === "frozen") return phase.untilMs;
  return phase.kind === "awaiting" ? (earliestExpiry(approvalOf(plan, phase.step), phase.approvals) ?? null) : null;
}
