import type { DestinationId, FilterChain, HttpRouting, Listener, ListenerServer, RouteTable } from "./route-table.ts";

/** Tables are immutable, so an index lives as long as its table. */
const indexes = new WeakMap<readonly HttpRouting[], ReadonlyMap<string, HttpRouting>>();

/** The virtual hosts that a filter chain chooses among; undefined for one that carries connections. */
export function routingOf(table: Pick<RouteTable, "httpRoutings">, chain: FilterChain): HttpRouting | undefined {
  if (chain.serves.kind !== "http") return undefined;
  let index = indexes.get(table.httpRoutings);
  if (index === undefined) {
    index = new Map(table.httpRoutings.map((routing) => [routing.id, routing]));
    indexes.set(table.httpRoutings, index);
  }
  return index.get(chain.serves.routing);
}

/** Where a chain leads by itself, without rules that choose among requests. */
export function destinationsOfChain({ serves }: Pick<FilterChain, "serves">): readonly DestinationId[] {
  switch (serves.kind) {
    case "http":
      return [];
    case "tcp":
      return serves.route.split.arms.map(({ destination }) => destination);
    case "inboundHttp":
      return [serves.route.destination];
  }
}

/** The servers of every filter chain, in their order. */
export function serversOf(listener: Pick<Listener, "filterChains">): readonly ListenerServer[] {
  return listener.filterChains.flatMap(({ servers }) => servers);
}

/** Every virtual host with the listener that it belongs to. */
export function routingsOf(table: RouteTable, listener: Listener): readonly HttpRouting[] {
  return listener.filterChains.flatMap((chain) => routingOf(table, chain) ?? []);
}
