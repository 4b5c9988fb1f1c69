import { destinationsOfChain } from "../routes/listener-parts.ts";
import type { DestinationId, HttpRouting, Route, RouteTable, VirtualHost } from "../routes/route-table.ts";

/** Destinations that a route sends or copies requests to, as often as it names them. */
export function namedByHost({ routes }: VirtualHost): readonly DestinationId[] {
  return routes.flatMap(namedByRoute);
}

function namedByRoute({ action }: Route): readonly DestinationId[] {
  if (action.kind !== "forward") return [];
  return [...action.split.arms, ...action.mirrors].map(({ destination }) => destination);
}

/** How often a table names each of its destinations. */
export function countNamed({ listeners, httpRoutings }: RouteTable): Map<DestinationId, number> {
  const counts = new Map<DestinationId, number>();
  const count = (id: DestinationId): void => void counts.set(id, (counts.get(id) ?? 0) + 1);
  for (const { filterChains } of listeners) for (const chain of filterChains) destinationsOfChain(chain).forEach(count);
  for (const { virtualHosts } of httpRoutings) {
    for (const host of virtualHosts) for (const id of namedByHost(host)) count(id);
  }
  return counts;
}

/** The position of each virtual host in a routing. */
export function indexHosts({ virtualHosts }: HttpRouting): ReadonlyMap<string, number> {
  return new Map(virtualHosts.map(({ domain }, index) => [domain, index]));
}
