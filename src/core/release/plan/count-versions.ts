import type { DestinationId } from "../../routes/route-table.ts";
import type { VersionCounts } from "../check/judge-version.ts";
import { addLatency, subtractLatency } from "../check/latency-distribution.ts";
import type { SplitChange } from "../move/move.ts";
import type { ReleasePlan } from "./plan-release.ts";
import { totalWeight } from "../move/split-weights.ts";

/** What proxies have counted by destination since they began; one that was restarted begins at 0 again. */
export type CountersByDestination = ReadonlyMap<DestinationId, VersionCounts>;

export type CheckedDestinations = Readonly<Record<"fresh" | "live", ReadonlySet<DestinationId>>>;

/**
 * The destinations of the new version, and those that give requests up to it in some step. A version that keeps its
 * share, such as a foreign host beside the subsets, is no version before: its errors excuse nobody's.
 */
export function checkedDestinations({ steps, to }: Pick<ReleasePlan, "steps" | "to">): CheckedDestinations {
  const moves = steps.flatMap((step) => ("moves" in step ? step.moves : []));
  const fresh = new Set(
    moves.flatMap((move) =>
      move.versions
        .filter(({ name }) => name === to || name === move.to)
        .flatMap(({ destinations }) => [...destinations]),
    ),
  );
  // Visitors with a mark may be all that the new version gets: a release need not move a weight.
  for (const step of steps) {
    if (step.kind === "preview") for (const destination of Object.values(step.addition.to)) fresh.add(destination);
  }
  const givers = moves.flatMap(({ changes }) => changes.flatMap(giversOf));
  return { fresh, live: new Set(givers.filter((destination) => !fresh.has(destination))) };
}

/** Less than this is what rounding takes. */
const smallestLoss = 1e-4;

function giversOf({ before, after }: SplitChange): readonly DestinationId[] {
  const [whole, wholeAfter] = [totalWeight(before), totalWeight(after)];
  if (whole === 0 || wholeAfter === 0) return [];
  return Object.keys(before).filter(
    (destination) => (before[destination] ?? 0) / whole - (after[destination] ?? 0) / wholeAfter > smallestLoss,
  );
}

export const nothingCounted: VersionCounts = { requests: 0, errors: 0 };

interface Growth {
  readonly before: CountersByDestination;
  readonly now: CountersByDestination;
  readonly destinations: ReadonlySet<DestinationId>;
}

/** Adds what has been counted between two looks. */
export function addGrowth(sum: VersionCounts, { before, now, destinations }: Growth): VersionCounts {
  const growth = [...destinations].reduce((total, destination) => {
    const after = now.get(destination);
    return after === undefined ? total : addCounts(total, growthOf(before.get(destination) ?? nothingCounted, after));
  }, nothingCounted);
  // What is out of rotation now has not grown: it is as it is.
  return { ...addCounts(sum, growth), outOfRotation: growth.outOfRotation ?? 0 };
}

function growthOf(known: VersionCounts, after: VersionCounts): VersionCounts {
  const hasRestarted = after.requests < known.requests || after.errors < known.errors;
  const from = hasRestarted ? nothingCounted : known;
  return {
    requests: after.requests - from.requests,
    errors: after.errors - from.errors,
    ...(after.latency === undefined ? {} : { latency: subtractLatency(after.latency, from.latency ?? []) }),
    ...(after.ejections === undefined ? {} : { ejections: Math.max(0, after.ejections - (from.ejections ?? 0)) }),
    ...(after.outOfRotation === undefined ? {} : { outOfRotation: after.outOfRotation }),
  };
}

/** The counts of several destinations, or of several proxies, together. */
function addCounts(one: VersionCounts, other: VersionCounts): VersionCounts {
  const latencies = [one.latency, other.latency].filter((latency) => latency !== undefined);
  const outOfRotation = (one.outOfRotation ?? 0) + (other.outOfRotation ?? 0);
  const ejections = [one.ejections, other.ejections].filter((count) => count !== undefined);
  return {
    requests: one.requests + other.requests,
    errors: one.errors + other.errors,
    ...(latencies.length === 0 ? {} : { latency: addLatency(latencies) }),
    ...(ejections.length === 0 ? {} : { ejections: ejections.reduce((sum, count) => sum + count, 0) }),
    ...(outOfRotation === 0 ? {} : { outOfRotation }),
  };
}

/** The counters of several proxies together. */
export function sumCounts(all: readonly CountersByDestination[]): CountersByDestination {
  const sums = new Map<DestinationId, VersionCounts>();
  for (const [id, counts] of all.flatMap((each) => [...each])) {
    sums.set(id, addCounts(sums.get(id) ?? nothingCounted, counts));
  }
  return sums;
}
