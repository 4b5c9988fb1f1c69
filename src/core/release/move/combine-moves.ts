import type { MovePlan, PlannedVersion, VersionName } from "./move.ts";

/**
 * One plan of several, so that all of their rules move in the same instant or none does. The plans are of different
 * VirtualServices or of different rules; a version of the same name is one version in the counts.
 */
export function combineMoves(plans: readonly [MovePlan, ...MovePlan[]]): MovePlan {
  const [first, ...others] = plans;
  if (others.length === 0) return first;
  return {
    ...first,
    changes: plans.flatMap(({ virtualService, changes }) => changes.map((change) => ({ virtualService, ...change }))),
    stays: plans.flatMap(({ virtualService, stays }) => stays.map((stay) => ({ virtualService, ...stay }))),
    versions: combineVersions(plans.flatMap(({ versions }) => versions)),
  };
}

function combineVersions(versions: readonly PlannedVersion[]): readonly PlannedVersion[] {
  const combined = new Map<VersionName, Set<string>>();
  for (const { name, destinations } of versions) {
    const known = combined.get(name) ?? new Set();
    for (const destination of destinations) known.add(destination);
    combined.set(name, known);
  }
  return [...combined].map(([name, destinations]) => ({ name, destinations: [...destinations] }));
}
