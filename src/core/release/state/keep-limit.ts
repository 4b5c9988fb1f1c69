import { renderDuration } from "../../diagnostics/render-duration.ts";
import { go, notNow, type ReleaseAdvance, takeBack } from "./enter-step.ts";
import { waitOf } from "./paused-wait.ts";
import { isOver, stepOf } from "./release-phase.ts";
import type { ReleaseState, StepPlans } from "./release-state.ts";

/** When a release has taken as long as it may; undefined where that is no matter any more. */
export function limitOf(plan: Pick<StepPlans, "spec">, state: ReleaseState): number | undefined {
  const { maxDuration } = plan.spec;
  const { phase, startedAtMs, limit } = state;
  if (maxDuration === undefined || startedAtMs === undefined || limit !== "running") return undefined;
  return isOver(phase) || phase.kind === "rollingBack" || phase.kind === "redoing"
    ? undefined
    : startedAtMs + maxDuration.durationMs;
}

/** Weights that move are left alone; the limit acts when they have. */
export function endTime(plan: StepPlans, state: ReleaseState, atMs: number): ReleaseAdvance {
  const dueMs = limitOf(plan, state);
  if (dueMs === undefined) return notNow("no limit of its time is running");
  if (dueMs > atMs) return notNow("its time is not over");
  return state.phase.kind === "moving" || state.phase.kind === "setting"
    ? go({ ...state, limit: "due" })
    : actOnLimit(plan, state, atMs);
}

/** Takes the release back, or stops it, as it was agreed; what has stopped already stays as it is. */
export function actOnLimit(plan: StepPlans, before: ReleaseState, atMs: number): ReleaseAdvance {
  const state: ReleaseState = { ...before, limit: "over" };
  const { phase } = state;
  const { maxDuration } = plan.spec;
  if (maxDuration === undefined || (phase.kind === "failed" && phase.during === "wayBack")) return go(state);
  const reason = `it took longer than ${renderDuration(maxDuration.durationMs)}, which is the longest that it may take`;
  if (maxDuration.action === "rollback")
    return takeBack(state, { step: stepOf(phase), actor: "kirikae", reason }, atMs);
  // The step that has just moved its weights is done.
  if (phase.kind === "moving") {
    return go({ ...state, phase: { kind: "paused", step: phase.step + 1, within: null, reason } });
  }
  const within = waitOf(phase, atMs);
  return within === undefined
    ? go(state)
    : go({ ...state, phase: { kind: "paused", step: stepOf(phase), within, reason } });
}
