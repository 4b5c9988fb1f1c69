import { findComingFreeze, findFreeze } from "../../core/release/state/find-freeze.ts";
import { renderDuration } from "../../core/diagnostics/render-duration.ts";
import type { ReleaseSpec } from "../../core/manifest/release.ts";
import type { PlannedStep, ReleasePlan } from "../../core/release/plan/plan-release.ts";
import type { Ink } from "../ink.ts";
import { renderInstant } from "./time-words.ts";

/** A freeze that begins within a day is worth a thought before the first step. */
const soonMs = 86_400_000;
const aheadMs = 366 * 86_400_000;

interface TimedPlan {
  readonly steps: ReleasePlan["steps"];
  readonly spec: Pick<ReleaseSpec, "freezes" | "maxDuration">;
}

/** Lines about what time says to a release: the freeze that is in force or comes next, and how long it may take. */
export function renderTimeRules({ steps, spec }: TimedPlan, nowMs: number, ink: Ink): readonly string[] {
  const { freezes, maxDuration } = spec;
  const limit =
    maxDuration === undefined
      ? []
      : [`It may take ${renderDuration(maxDuration.durationMs)}; then it is ${endOf(maxDuration.action)}.`];
  const freeze = renderFreezes(freezes, { nowMs, untilMs: nowMs + aheadMs, ink });
  return [...freeze, ...limit, ...renderTooLong(steps, maxDuration, ink)];
}

/** What somebody who starts a release now has to know: a freeze that is near, and a time that cannot suffice. */
export function renderTimeWarnings({ steps, spec }: TimedPlan, nowMs: number, ink: Ink): readonly string[] {
  return [
    ...renderFreezes(spec.freezes, { nowMs, untilMs: nowMs + soonMs, ink }),
    ...renderTooLong(steps, spec.maxDuration, ink),
  ];
}

/** Nobody means a limit that its own holds exceed, unless somebody promotes it past them. */
function renderTooLong(
  steps: TimedPlan["steps"],
  maxDuration: ReleaseSpec["maxDuration"],
  ink: Ink,
): readonly string[] {
  const waitsMs = steps.reduce((sum, step) => sum + waitOf(step), 0);
  if (maxDuration === undefined || waitsMs < maxDuration.durationMs) return [];
  const waits = renderDuration(waitsMs);
  return [
    ink.yellow(`Its holds and checks alone take ${waits}, so it is ${endOf(maxDuration.action)} before its end.`),
  ];
}

function waitOf(step: PlannedStep): number {
  switch (step.kind) {
    case "hold":
      return step.durationMs ?? 0;
    case "check":
      return step.initialDelayMs + step.durationMs;
    case "bake":
      return step.durationMs;
    case "weight":
    case "switch":
    case "preview":
    case "mirror":
    case "affinity":
    case "subsets":
    case "approve":
    case "finish":
      return 0;
  }
}

interface Look {
  readonly nowMs: number;
  readonly untilMs: number;
  readonly ink: Ink;
}

function renderFreezes(freezes: ReleaseSpec["freezes"], { nowMs, untilMs, ink }: Look): readonly string[] {
  const inForce = findFreeze(freezes, nowMs);
  if (inForce !== undefined) {
    const end = renderInstant(inForce.untilMs);
    return [
      ink.yellow(`A freeze is in force until ${end}${because(inForce.reason)}: no step gives the new version more.`),
    ];
  }
  const coming = findComingFreeze(freezes, { fromMs: nowMs, untilMs });
  if (coming === undefined) return [];
  const [from, until] = [coming.fromMs, coming.untilMs].map(renderInstant);
  const line = `The next freeze is from ${from} until ${until}${because(coming.reason)}.`;
  return [coming.fromMs - nowMs < soonMs ? ink.yellow(line) : line];
}

function because(reason: string | null): string {
  return reason === null ? "" : ` (${reason})`;
}

function endOf(action: "rollback" | "pause"): string {
  return action === "rollback" ? "rolled back" : "paused";
}
