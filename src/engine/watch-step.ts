import type { MirrorReport } from "../core/release/mirror/mirror-report.ts";
import type { ReleasePlan } from "../core/release/plan/plan-release.ts";
import type { ProbeFigures } from "../core/release/plan/probe-figures.ts";
import type { StepOutcome } from "./judge-move.ts";

/** What is seen of a step from beside it. */
export interface StepSights {
  /** Of requests that were sent for the step. */
  readonly probes?: ProbeFigures;
  /** Of copies that it has ended. */
  readonly mirror?: MirrorReport;
  /** Why what was seen after the proof cannot be, if the weights are live; in words without a full stop. */
  readonly contradiction?: string;
}

/** Watches steps while they are carried out. Never rejects. */
export interface StepWatcher {
  /** Call it before the step begins; what it returns, when the step has ended. */
  watch(plan: ReleasePlan, step: WatchedStep): (outcome: StepOutcome["kind"]) => Promise<StepSights>;
}

export interface WatchedStep {
  /** Whether it moves weights, and not back: nothing is to hold up the way back. */
  readonly movesForward: boolean;
}

/**
 * A request that was sent for the step and failed counts as one that failed; one whose answer belies the proof makes the
 * step unproved.
 */
export function addSights(outcome: StepOutcome, sights: StepSights | undefined): StepOutcome {
  if (outcome.kind !== "moved" || sights === undefined) return outcome;
  const { contradiction, ...seen } = sights;
  if (contradiction !== undefined) {
    const { move } = outcome;
    return { kind: "moveFailed", reason: `unproved: ${contradiction}`, ...(move !== undefined && { move }) };
  }
  return { ...outcome, ...seen, failed: outcome.failed + (sights.probes?.failed ?? 0) };
}
