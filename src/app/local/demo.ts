import type { CallerStatus, GatewayAddress } from "../../api/types.ts";
import { routingsOf, serversOf } from "../../core/routes/listener-parts.ts";
import { outboundListenerOf } from "../../core/routes/outbound-listeners.ts";
import type { HeaderMatch, Listener, RouteTable, VirtualHost } from "../../core/routes/route-table.ts";
import { startDemoTraffic } from "../../local/demo-traffic.ts";

const requestsPerSecond = 80;

export interface DemoPlaces {
  readonly gateways: readonly GatewayAddress[];
  readonly callers: readonly CallerStatus[];
}

/**
 * Steady traffic to the first host that a gateway admits, with the header of its first preview rule now and then; without
 * a gateway, from the first workload with a sidecar to the first host that rules inside the mesh are for.
 */
export function startDemo(table: RouteTable, places: DemoPlaces): AsyncDisposable | undefined {
  const entry = findGatewayEntry(table, places.gateways) ?? findCallerEntry(table, places.callers);
  if (entry === undefined) return undefined;
  const { domain, routes } = entry.virtualHost;
  const header = routes.map((route) => route.match.headers.find(isPlain)).find((match) => match !== undefined);
  return startDemoTraffic({
    address: entry.address,
    host: domain.replace(/^\*\.?/u, "any."),
    requestsPerSecond,
    ...(header === undefined ? {} : { previewHeader: { name: header.name, value: valueOf(header) } }),
  });
}

interface DemoEntry {
  readonly address: string;
  readonly virtualHost: VirtualHost;
}

function findGatewayEntry(table: RouteTable, gateways: readonly GatewayAddress[]): DemoEntry | undefined {
  for (const listener of table.listeners) {
    for (const virtualHost of virtualHostsOf(table, listener)) {
      const address = gateways.find(
        ({ gateway, port, protocol }) => protocol === "http" && isOf(listener, gateway) && port === listener.port,
      )?.address;
      if (address !== undefined && virtualHost.routes.length > 0) return { address, virtualHost };
    }
  }
  return undefined;
}

function findCallerEntry(table: RouteTable, callers: readonly CallerStatus[]): DemoEntry | undefined {
  for (const { workload, proxy } of callers) {
    const listener = outboundListenerOf(table, workload);
    if (proxy === null || listener === undefined) continue;
    const ruled = virtualHostsOf(table, listener).find(({ routes }) =>
      routes.some(({ origin }) => origin.virtualService !== ""),
    );
    if (ruled !== undefined) return { address: proxy, virtualHost: ruled };
  }
  return undefined;
}

function virtualHostsOf(table: RouteTable, listener: Listener): readonly VirtualHost[] {
  return routingsOf(table, listener).flatMap(({ virtualHosts }) => virtualHosts);
}

function isOf(listener: Listener, gateway: string): boolean {
  return serversOf(listener).some((server) => server.gateway === gateway);
}

function isPlain(match: HeaderMatch): boolean {
  return !match.invert && !match.name.startsWith(":") && match.value.kind === "exact";
}

function valueOf({ value }: HeaderMatch): string {
  return value.kind === "present" ? "" : value.value;
}
