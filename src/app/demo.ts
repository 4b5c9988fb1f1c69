import type { GatewayAddress } from "../api/types.ts";
import { routingsOf, serversOf } from "../core/routes/listener-parts.ts";
import type { HeaderMatch, RouteTable } from "../core/routes/route-table.ts";
import { startDemoTraffic } from "../local/demo-traffic.ts";

const requestsPerSecond = 80;

/** Steady traffic to the first host that a gateway admits, with the header of its first preview rule now and then. */
export function startDemo(table: RouteTable, gateways: readonly GatewayAddress[]): AsyncDisposable | undefined {
  for (const listener of table.listeners) {
    for (const { domain, routes } of routingsOf(table, listener).flatMap(({ virtualHosts }) => virtualHosts)) {
      const address = gateways.find(({ gateway, port }) => isOf(listener, gateway) && port === listener.port)?.address;
      if (address === undefined || routes.length === 0) continue;
      const header = routes.map((route) => route.match.headers.find(isPlain)).find((match) => match !== undefined);
      return startDemoTraffic({
        address,
        host: domain.replace(/^\*\.?/u, "any."),
        requestsPerSecond,
        ...(header === undefined ? {} : { previewHeader: { name: header.name, value: valueOf(header) } }),
      });
    }
  }
  return undefined;
}

function isOf(listener: RouteTable["listeners"][number], gateway: string): boolean {
  return serversOf(listener).some((server) => server.gateway === gateway);
}

function isPlain(match: HeaderMatch): boolean {
  return !match.invert && !match.name.startsWith(":") && match.value.kind === "exact";
}

function valueOf({ value }: HeaderMatch): string {
  return value.kind === "present" ? "" : value.value;
}
