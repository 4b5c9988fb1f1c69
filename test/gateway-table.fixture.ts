import type {
  Destination,
  DestinationId,
  Listener,
  ListenerServer,
  RouteTable,
  VirtualHost,
} from "../src/core/routes/route-table.ts";

export interface GatewayTableParts {
  readonly virtualHosts: readonly VirtualHost[];
  readonly destinations?: ReadonlyMap<DestinationId, Destination>;
  readonly servers?: readonly ListenerServer[];
  /** The labels of the gateway workload, as its id. */
  readonly proxy?: string;
}

/** A table with one plain HTTP listener on port 80. */
export function gatewayTable(parts: GatewayTableParts): RouteTable {
  const { virtualHosts, destinations = new Map(), servers = [], proxy = "istio=ingressgateway" } = parts;
  const listener = plainListener(proxy, 80, servers);
  return {
    proxies: new Map([[proxy, { id: proxy, kind: "gateway", namespace: "istio-system", labels: {} }]]),
    listeners: [listener],
    httpRoutings: [{ id: listener.id, virtualHosts }],
    destinations,
    secrets: new Map(),
  };
}

/** A gateway listener without TLS, whose routing has its own id. */
export function plainListener(proxy: string, port: number, servers: readonly ListenerServer[]): Listener {
  const id = `${proxy}:${port}`;
  return {
    id,
    proxy,
    role: { kind: "gateway" },
    port,
    bind: undefined,
    filterChains: [{ id, servers, serverNames: [], tls: undefined, serves: { kind: "http", routing: id } }],
  };
}

/** The table with other virtual hosts in its only routing. */
export function withVirtualHosts(
  table: RouteTable,
  change: (virtualHosts: readonly VirtualHost[]) => readonly VirtualHost[],
): RouteTable {
  return {
    ...table,
    httpRoutings: table.httpRoutings.map((routing) => ({ ...routing, virtualHosts: change(routing.virtualHosts) })),
  };
}
