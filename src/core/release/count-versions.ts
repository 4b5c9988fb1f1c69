import type { DestinationId } from "../routes/route-table.ts";
import type { VersionCounts } from "./judge-version.ts";
import { addLatency, subtractLatency } from "./latency-distribution.ts";
import type { ReleasePlan } from "./plan-release.ts";

/** What proxies have counted by destination since they began; one that was restarted begins at 0 again. */
export type CountersByDestination = ReadonlyMap<DestinationId, VersionCounts>;

export type CheckedDestinations = Readonly<Record<"fresh" | "live", ReadonlySet<DestinationId>>>;

/** The destinations of the new version, and those of all others that the release moves. */
export function checkedDestinations({ steps, to }: Pick<ReleasePlan, "steps" | "to">): CheckedDestinations {
  const fresh = new Set<DestinationId>();
  const live = new Set<DestinationId>();
  for (const move of steps.flatMap((step) => ("moves" in step ? step.moves : []))) {
    for (const { name, destinations } of move.versions) {
      for (const destination of destinations) (name === to || name === move.to ? fresh : live).add(destination);
    }
  }
  return { fresh, live };
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
export function addCounts(one: VersionCounts, other: VersionCounts): VersionCounts {
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
