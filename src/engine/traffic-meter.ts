import { isOver } from "../core/release/state/release-phase.ts";
import {
  beginSpan,
  type AnswerCounts,
  type CounterMark,
  extendSpan,
  type TrafficSpan,
} from "../core/release/report/traffic-span.ts";
import { destinationsByVersion } from "../core/release/plan/version-destinations.ts";
import type { VersionName } from "../core/release/move/move.ts";
import type { DestinationId } from "../core/routes/route-table.ts";
import type { StoredRelease } from "./fold-releases.ts";

/** One look at the counters of all proxies. */
export interface CounterReading {
  /** When the proxies were asked, and when the last had answered, in milliseconds since the epoch. */
  readonly askedMs: number;
  readonly answeredMs: number;
  /** Which processes have counted: those of another process begin at 0. */
  readonly proxies: string;
  readonly counters: ReadonlyMap<DestinationId, AnswerCounts>;
}

/** A first look that comes later than this has missed answers. */
const patienceMs = 5_000;

interface Metered {
  readonly destinations: ReadonlyMap<VersionName, readonly DestinationId[]>;
  /** When the last event was, or the release was written down. */
  sinceMs: number;
  /** Undefined before the first look. */
  span: TrafficSpan | undefined;
}

/**
 * Counts what the versions of releases answer from event to event, from looks at the counters that are made anyway.
 * Nothing here waits or fails: what is not known in time is said to be missing.
 */
export class TrafficMeter {
  readonly #metered = new Map<string, Metered>();
  #last: CounterReading | undefined;

  /** Takes a look into all releases that are under way. One that overlaps with an earlier one says nothing new. */
  add(reading: CounterReading): void {
    if (this.#last !== undefined && reading.askedMs < this.#last.answeredMs) return;
    this.#last = reading;
    for (const metered of this.#metered.values()) extend(metered, reading);
  }

  /** Goes on with a release after what was written of it last; one that has ended is no longer counted. */
  follow({ id, plan, state, startedAt, events, traffic }: StoredRelease): void {
    if (isOver(state.phase)) {
      this.#metered.delete(id);
      return;
    }
    const metered = this.#metered.get(id) ?? { ...uncounted, destinations: destinationsByVersion(plan) };
    this.#metered.set(id, metered);
    metered.sinceMs = events.at(-1)?.atMs ?? Date.parse(startedAt);
    const written = traffic.at(-1);
    if (written !== undefined) metered.span = beginSpan(written.untilMs, written.mark);
    if (this.#last !== undefined) extend(metered, this.#last);
  }

  /** What the versions have answered from the last event to the last look; undefined before the first look. */
  read(id: string): TrafficSpan | undefined {
    return this.#metered.get(id)?.span;
  }
}

const uncounted = { sinceMs: 0, span: undefined } as const;

function extend(metered: Metered, reading: CounterReading): void {
  const mark = markOf(metered, reading);
  // Between the question and its answer is when it was true.
  const atMs = Math.round((reading.askedMs + reading.answeredMs) / 2);
  metered.span = metered.span === undefined ? beginLate(metered, atMs, mark) : extendSpan(metered.span, atMs, mark);
}

/** What was answered before the first look is not known. */
function beginLate({ sinceMs }: Metered, atMs: number, mark: CounterMark): TrafficSpan {
  return { ...beginSpan(atMs, mark), isComplete: atMs - sinceMs <= patienceMs };
}

function markOf({ destinations }: Metered, { proxies, counters }: CounterReading): CounterMark {
  const versions: Record<VersionName, AnswerCounts> = {};
  for (const [name, ids] of destinations) versions[name] = sumOf(ids, counters);
  return { proxies, versions };
}

function sumOf(ids: readonly DestinationId[], counters: CounterReading["counters"]): AnswerCounts {
  let requests = 0;
  let errors = 0;
  for (const id of ids) {
    const counted = counters.get(id);
    requests += counted?.requests ?? 0;
    errors += counted?.errors ?? 0;
  }
  return { requests, errors };
}
