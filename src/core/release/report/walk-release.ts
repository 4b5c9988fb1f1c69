import { unstarted } from "../state/advance-release.ts";
import { replayRelease } from "../state/replay-release.ts";
import type { ReleasePlan } from "../plan/plan-release.ts";
import type { ReleaseEvent, ReleasePhase, ReleaseState } from "../state/release-state.ts";
import type { TrafficSpan } from "./traffic-span.ts";

/** The time between two events, and the one that ended it. */
export interface Interval {
  /** What the release was doing. */
  readonly phase: ReleasePhase;
  readonly fromMs: number;
  readonly untilMs: number;
  /** Undefined for the time since the last one. */
  readonly event: ReleaseEvent | undefined;
  /** Undefined where nobody has counted. */
  readonly traffic: TrafficSpan | undefined;
}

/** When a report is made, and what the versions have answered since the last event. */
export interface Now {
  readonly atMs: number;
  readonly traffic: TrafficSpan | undefined;
}

/** A release as the journal has it. */
export interface ReportedRelease {
  readonly id: string;
  readonly plan: ReleasePlan;
  /** ISO 8601. */
  readonly startedAt: string;
  readonly actor: string;
  readonly reason: string | null;
  readonly state: ReleaseState;
  /** Oldest first. */
  readonly events: readonly ReleaseEvent[];
  /** Of each event, what the versions have answered since the one before; undefined where that is not known. */
  readonly traffic: readonly (TrafficSpan | undefined)[];
}

/** All intervals of a release in order, from when it was written down until now. */
export function walkRelease({ plan, startedAt, events, traffic }: ReportedRelease, now: Now): readonly Interval[] {
  const intervals: Interval[] = [];
  let { phase } = unstarted;
  let fromMs = Date.parse(startedAt);
  for (const [index, { event, before, after }] of replayRelease(plan, events).entries()) {
    // A clock may have been set back meanwhile.
    const untilMs = Math.max(fromMs, event.atMs);
    intervals.push({ phase: before.phase, fromMs, untilMs, event, traffic: traffic[index] });
    ({ phase } = after);
    fromMs = untilMs;
  }
  return [...intervals, { phase, fromMs, untilMs: Math.max(fromMs, now.atMs), event: undefined, traffic: now.traffic }];
}
