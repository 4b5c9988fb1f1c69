import { errorText } from "../core/diagnostics/error-text.ts";
import type { Check } from "../core/manifest/release.ts";
import type { CheckProgress } from "../core/release/check/check-progress.ts";
import type { PlannedStep, ReleasePlan } from "../core/release/plan/plan-release.ts";
import type { ReleaseEvent } from "../core/release/state/release-state.ts";
import type { Clock } from "./ports.ts";
import { runCheck } from "./release-check.ts";
import type { ReleaseHost } from "./release-ports.ts";
import type { Turns } from "./turns.ts";

export interface JudgedStep {
  readonly plan: ReleasePlan;
  readonly step: number;
  readonly host: ReleaseHost;
  readonly clock: Clock;
  readonly turns: Turns;
  readonly onProgress: (progress: CheckProgress) => void;
  readonly onJudged: (event: Extract<ReleaseEvent, { kind: "judged" }>) => void;
}

/** Judges the new version by what a step says. It tells once what came of it, unless it is disposed before. */
export function judgeStep(judged: JudgedStep): Disposable {
  const { plan, step } = judged;
  const check = checkOf(plan.steps[step]);
  if (check === undefined) throw new Error(`Step ${step} of ${plan.release} judges nothing.`);
  const stop = new AbortController();
  void follow(judged, check, stop.signal);
  return { [Symbol.dispose]: () => stop.abort() };
}

async function follow(judged: JudgedStep, check: Check, signal: AbortSignal): Promise<void> {
  const { plan, host, clock, turns, onProgress, onJudged } = judged;
  try {
    const outcome = await runCheck({ plan, check, clock, sources: host, signal, onProgress });
    // What was answered until here belongs to this step; a version that fails is not kept for a count.
    if (outcome !== undefined && outcome.verdict !== "fail") {
      await host.look?.();
      await turns.next();
    }
    // A command may have come between the judgement and now.
    if (outcome !== undefined && !signal.aborted) onJudged({ kind: "judged", atMs: clock.nowMs(), ...outcome });
  } catch (error) {
    if (signal.aborted) return;
    const detail = `the proxies could not be asked: ${errorText(error)}`;
    onJudged({ kind: "judged", atMs: clock.nowMs(), verdict: "unknown", detail });
  }
}

/** What a step judges the new version by; one that bakes has a time of its own. */
function checkOf(step: PlannedStep | undefined): Check | undefined {
  if (step?.kind === "check") return step;
  return step?.kind === "bake" && step.check !== undefined ? { ...step.check, durationMs: step.durationMs } : undefined;
}
