import { findComingFreeze, findFreeze } from "../../core/release/find-freeze.ts";
import { renderDuration } from "../../core/diagnostics/render-duration.ts";
import type { ReleaseSpec } from "../../core/manifest/release.ts";
import type { Ink } from "../ink.ts";

/** A freeze that begins within a day is worth a thought before the first step. */
const soonMs = 86_400_000;
const aheadMs = 366 * 86_400_000;

type TimeRules = Pick<ReleaseSpec, "freezes" | "maxDuration">;

/** Lines about what time says to a release: the freeze that is in force or comes next, and how long it may take. */
export function renderTimeRules({ freezes, maxDuration }: TimeRules, nowMs: number, ink: Ink): readonly string[] {
  const limit =
    maxDuration === undefined
      ? []
      : [`It may take ${renderDuration(maxDuration.durationMs)}; then it is ${endOf(maxDuration.action)}.`];
  return [...renderFreezes(freezes, { nowMs, untilMs: nowMs + aheadMs, ink }), ...limit];
}

/** The freeze that is in force, or one that begins within a day; nothing where neither is. */
export function renderFreezeSoon(freezes: TimeRules["freezes"], nowMs: number, ink: Ink): readonly string[] {
  return renderFreezes(freezes, { nowMs, untilMs: nowMs + soonMs, ink });
}

interface Look {
  readonly nowMs: number;
  readonly untilMs: number;
  readonly ink: Ink;
}

function renderFreezes(freezes: TimeRules["freezes"], { nowMs, untilMs, ink }: Look): readonly string[] {
  const inForce = findFreeze(freezes, nowMs);
  if (inForce !== undefined) {
    const end = new Date(inForce.untilMs).toISOString();
    return [
      ink.yellow(`A freeze is in force until ${end}${because(inForce.reason)}: no step gives the new version more.`),
    ];
  }
  const coming = findComingFreeze(freezes, { fromMs: nowMs, untilMs });
  if (coming === undefined) return [];
  const [from, until] = [coming.fromMs, coming.untilMs].map((ms) => new Date(ms).toISOString());
  const line = `The next freeze is from ${from} until ${until}${because(coming.reason)}.`;
  return [coming.fromMs - nowMs < soonMs ? ink.yellow(line) : line];
}

function because(reason: string | null): string {
  return reason === null ? "" : ` (${reason})`;
}

function endOf(action: "rollback" | "pause"): string {
  return action === "rollback" ? "rolled back" : "paused";
}
