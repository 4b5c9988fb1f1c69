import type { DestinationId, RouteTable, Split, WeightOverrides } from "../../routes/route-table.ts";
import { sitePrefix } from "../../routes/site-names.ts";

export interface SubsetUse {
  readonly table: RouteTable;
  readonly current: WeightOverrides;
}

interface WantedSubset {
  /** Of the DestinationRule: its site counts, where it has one. */
  readonly destinationRule: string;
  readonly host: string;
  readonly subset: string;
}

/**
 * Who sends requests, copies or connections to a subset now, as words that follow "because"; undefined where nobody
 * does. All rules of the mesh count, whoever wrote them: a proxy answers 503 where its subset is gone.
 */
export function findSubsetUse({ table, current }: SubsetUse, wanted: WantedSubset): string | undefined {
  const own = destinationsOf(table, wanted);
  if (own.size === 0) return undefined;
  for (const { virtualHosts } of table.httpRoutings) {
    for (const { origin, action } of virtualHosts.flatMap(({ routes }) => routes)) {
      if (action.kind !== "forward") continue;
      const who = `rule ${origin.rule} of ${origin.virtualService === "" ? "the service itself" : origin.virtualService}`;
      const share = shareOf(action.split, { current, own });
      if (share > 0) return `${who} gives it ${Math.round(share * 10) / 10} % of its requests`;
      const isMirrored = action.mirrors.some(({ destination, percent }) => percent > 0 && own.has(destination));
      if (isMirrored) return `${who} sends it copies`;
    }
  }
  for (const { serves } of table.listeners.flatMap(({ filterChains }) => filterChains)) {
    if (serves.kind !== "tcp" || shareOf(serves.route.split, { current, own }) <= 0) continue;
    return `${serves.route.origin.virtualService} sends it connections`;
  }
  return undefined;
}

function destinationsOf(table: RouteTable, wanted: WantedSubset): ReadonlySet<DestinationId> {
  const site = sitePrefix(wanted.destinationRule);
  const found = [...table.destinations.values()].filter(
    ({ id, host, subset }) => subset === wanted.subset && host === wanted.host && sitePrefix(id) === site,
  );
  return new Set(found.map(({ id }) => id));
}

function shareOf(
  split: Split,
  { current, own }: { readonly current: WeightOverrides; readonly own: ReadonlySet<DestinationId> },
): number {
  const weights = current.get(split.id);
  let total = 0;
  let owned = 0;
  for (const { destination, weight } of split.arms) {
    const now = weights === undefined ? weight : (weights[destination] ?? 0);
    total += now;
    if (own.has(destination)) owned += now;
  }
  return total === 0 ? 0 : (owned * 100) / total;
}
