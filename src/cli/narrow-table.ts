import type { DestinationId, FilterChain, HttpRouting, RouteTable } from "../core/routes/route-table.ts";
import { selectProxies, type ProxyChoice } from "./select-proxies.ts";

/** The part of a table that one proxy gets: its listeners, and what they lead to. */
export function narrowTable(table: RouteTable, choice: ProxyChoice): RouteTable {
  if (choice.gateway === undefined && choice.from === undefined) return table;
  const proxies = new Set(selectProxies(table, choice).map(({ listener }) => listener.proxy));
  const listeners = table.listeners.filter(({ proxy }) => proxies.has(proxy));
  const chains = listeners.flatMap(({ filterChains }) => filterChains);
  const named = new Set(chains.flatMap(({ serves }) => (serves.kind === "http" ? [serves.routing] : [])));
  const httpRoutings = table.httpRoutings.filter(({ id }) => named.has(id));
  const reached = new Set([...chains.flatMap(destinationsOfChain), ...httpRoutings.flatMap(destinationsOfRouting)]);
  const destinations = new Map([...table.destinations].filter(([id]) => reached.has(id)));
  return { ...table, listeners, httpRoutings, destinations };
}

function destinationsOfChain({ serves }: FilterChain): readonly DestinationId[] {
  return serves.kind === "tcp" ? serves.route.split.arms.map(({ destination }) => destination) : [];
}

function destinationsOfRouting({ virtualHosts }: HttpRouting): readonly DestinationId[] {
  return virtualHosts.flatMap(({ routes }) =>
    routes.flatMap(({ action }) =>
      action.kind === "forward" ? [...action.split.arms, ...action.mirrors].map(({ destination }) => destination) : [],
    ),
  );
}
