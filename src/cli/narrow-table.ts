import { isReached } from "../core/routes/inbound-steps.ts";
import { destinationsOfChain } from "../core/routes/listener-parts.ts";
import type { Destination, DestinationId, HttpRouting, Listener, RouteTable } from "../core/routes/route-table.ts";
import { selectProxies, type ProxyChoice } from "./select-proxies.ts";

/** The part of a table that one proxy gets: its listeners, and what they lead to, up to the workloads themselves. */
export function narrowTable(table: RouteTable, choice: ProxyChoice): RouteTable {
  if (choice.gateway === undefined && choice.from === undefined) return table;
  const proxies = new Set(selectProxies(table, choice).map(({ listener }) => listener.proxy));
  const own = table.listeners.filter(({ proxy }) => proxies.has(proxy));
  const chains = own.flatMap(({ filterChains }) => filterChains);
  const named = new Set(chains.flatMap(({ serves }) => (serves.kind === "http" ? [serves.routing] : [])));
  const httpRoutings = table.httpRoutings.filter(({ id }) => named.has(id));
  const reached = new Set([...chains.flatMap(destinationsOfChain), ...httpRoutings.flatMap(destinationsOfRouting)]);
  const inbound = reachedInbound(table, reached);
  const listeners = [...own, ...inbound.filter((listener) => !own.includes(listener))];
  for (const id of inbound.flatMap(({ filterChains }) => filterChains.flatMap(destinationsOfChain))) reached.add(id);
  const destinations = new Map([...table.destinations].filter(([id]) => reached.has(id)));
  return { ...table, listeners, httpRoutings, destinations };
}

/** The listeners before workloads that some destination leads to. */
function reachedInbound(table: RouteTable, reached: ReadonlySet<DestinationId>): readonly Listener[] {
  const endpoints = [...reached].flatMap((id): Destination["endpoints"] => table.destinations.get(id)?.endpoints ?? []);
  return table.listeners.filter((listener) => isReached(listener, endpoints));
}

function destinationsOfRouting({ virtualHosts }: HttpRouting): readonly DestinationId[] {
  return virtualHosts.flatMap(({ routes }) =>
    routes.flatMap(({ action }) =>
      action.kind === "forward" ? [...action.split.arms, ...action.mirrors].map(({ destination }) => destination) : [],
    ),
  );
}
