import type { ServiceStatus } from "../api/types.ts";
import type { ServiceDescription } from "../core/release/move/describe-service.ts";
import { describeServices } from "../core/release/move/describe-services.ts";
import type { Route, RouteTable, SplitId, SplitWeights, WeightOverrides } from "../core/routes/route-table.ts";

/**
 * The weights that a running mesh has moved, for the splits of a table that was read from manifests: rules are known by
 * their VirtualService and number, versions by their name. A rule that the running mesh does not have keeps the weights
 * of the manifest.
 */
export function readLiveWeights(table: RouteTable, live: readonly ServiceStatus[]): WeightOverrides {
  const overrides = new Map<SplitId, SplitWeights>();
  const moved = new Map(live.filter(({ isMoved }) => isMoved).map((service) => [service.virtualService, service]));
  if (moved.size === 0) return overrides;
  const described = new Map(describeServices(table, new Map()).map((service) => [service.virtualService, service]));
  for (const { virtualHosts } of table.httpRoutings) {
    for (const route of virtualHosts.flatMap(({ routes }) => routes)) {
      const { virtualService } = route.origin;
      const found = weigh(route, described.get(virtualService), moved.get(virtualService));
      if (found !== undefined) overrides.set(found.split, found.weights);
    }
  }
  return overrides;
}

/** Percentages have two decimals, and weights are integers. */
const partsOfPercent = 100;

function weigh(
  { origin, action }: Route,
  described: ServiceDescription | undefined,
  live: ServiceStatus | undefined,
): { readonly split: SplitId; readonly weights: SplitWeights } | undefined {
  if (action.kind !== "forward" || described === undefined) return undefined;
  const shares = live?.rules.find(({ rule }) => rule === origin.rule)?.weights;
  if (shares === undefined || Object.keys(shares).length === 0) return undefined;
  const weights = action.split.arms.map(({ destination }) => {
    const version = described.versions.find(({ destinations }) => destinations.includes(destination));
    return [destination, Math.round((shares[version?.name ?? ""] ?? 0) * partsOfPercent)] as const;
  });
  return { split: action.split.id, weights: Object.fromEntries(weights) };
}
