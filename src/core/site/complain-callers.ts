import { KirikaeError } from "../diagnostics/error.ts";
import { nameDestination } from "../routes/name-destination.ts";
import type { DestinationId, Route, RouteTable, Split, SplitId, WeightOverrides } from "../routes/route-table.ts";

/**
 * A rule of a VirtualService is one for all its callers, and a DestinationRule with a `workloadSelector` or an `exportTo`
 * gives some of them other subsets. A version that gains weight where it was planned is written for the others as well,
 * and a proxy without its subset answers 503.
 * @returns KIR4029 for the first rule that would do so
 */
export function complainCallers(table: RouteTable, weights: WeightOverrides): KirikaeError | undefined {
  const rules = splitsByRule(table);
  for (const [rule, splits] of rules) {
    for (const split of splits.values()) {
      for (const gaining of gainsOf(split, weights)) {
        const without = [...splits.values()].find((other) => !weights.has(other.id) && lacks(table, other, gaining));
        if (without !== undefined) return refuseCallers(rule, gaining, without);
      }
    }
  }
  return undefined;
}

/** By VirtualService and the number of its rule. */
function splitsByRule({ httpRoutings }: RouteTable): ReadonlyMap<string, ReadonlyMap<SplitId, Split>> {
  const rules = new Map<string, Map<SplitId, Split>>();
  for (const { action, origin } of httpRoutings.flatMap(({ virtualHosts }) =>
    virtualHosts.flatMap(({ routes }): readonly Route[] => routes),
  )) {
    if (action.kind !== "forward") continue;
    const rule = `rule ${origin.rule} of VirtualService ${origin.virtualService}`;
    const splits = rules.get(rule) ?? new Map<SplitId, Split>();
    rules.set(rule, splits.set(action.split.id, action.split));
  }
  return rules;
}

function gainsOf({ id, arms }: Split, weights: WeightOverrides): readonly DestinationId[] {
  const before = new Map(arms.map(({ destination, weight }) => [destination, weight]));
  return Object.entries(weights.get(id) ?? {})
    .filter(([destination, weight]) => weight > 0 && (before.get(destination) ?? 0) === 0)
    .map(([destination]) => destination);
}

/** Other callers at the same port who have versions of the host, and not this one; where nothing is, nothing is lost. */
function lacks({ destinations }: RouteTable, { arms }: Split, gaining: DestinationId): boolean {
  const { host, port, subset } = nameDestination(gaining);
  const there = arms
    .filter(({ destination }) => destinations.has(destination))
    .map(({ destination }) => nameDestination(destination))
    .filter((each) => each.host === host && each.port === port);
  return there.length > 0 && there.every((each) => each.subset !== subset);
}

function refuseCallers(rule: string, gaining: DestinationId, { arms }: Split): KirikaeError {
  const { host, subset } = nameDestination(gaining);
  const known = arms.map(({ destination }) => nameDestination(destination).subset ?? "no subset");
  const message = `Some callers of ${rule} would get 503, because no DestinationRule that counts for them has ${subset ?? "no subset"} of ${host}.`;
  const hint = `They have ${known.join(", ")}: declare it in the DestinationRule with the workloadSelector or the exportTo too.`;
  return new KirikaeError("KIR4029", message, { exitStatus: 1, hint });
}
