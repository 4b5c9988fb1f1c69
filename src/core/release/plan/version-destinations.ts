import type { DestinationId } from "../../routes/route-table.ts";
import type { VersionName } from "../move/move.ts";
import type { ReleasePlan } from "./plan-release.ts";

/** Every version behind the rules of a release, with where its requests go; foreign ones too, which keep their share. */
export function destinationsByVersion({
  steps,
  to,
}: Pick<ReleasePlan, "steps" | "to">): ReadonlyMap<VersionName, readonly DestinationId[]> {
  const found = new Map<VersionName, Set<DestinationId>>();
  const add = (name: VersionName, destinations: Iterable<DestinationId>): void => {
    const known = found.get(name) ?? new Set();
    for (const destination of destinations) known.add(destination);
    found.set(name, known);
  };
  for (const step of steps) {
    if ("moves" in step)
      for (const { versions } of step.moves) for (const each of versions) add(each.name, each.destinations);
  }
  // A release may add to routes without moving a weight.
  if (found.size === 0) {
    for (const step of steps) {
      if ("addition" in step && step.addition.kind === "preview") add(to, Object.values(step.addition.to));
    }
  }
  return new Map([...found].map(([name, destinations]) => [name, [...destinations]]));
}

/** Names of the version that everything goes to; where versions are hosts, each route has its own. */
export function newVersions({ steps, to }: Pick<ReleasePlan, "steps" | "to">): ReadonlySet<VersionName> {
  return new Set([to, ...steps.flatMap((step) => ("moves" in step ? step.moves.map((move) => move.to) : []))]);
}
