import { destinationsOfChain } from "./listener-parts.ts";
import type { DestinationEndpoint, DestinationId, Listener, RouteTable } from "./route-table.ts";
import type { DestinationPolicy } from "./route-table-policy.ts";

/** What a request or a connection passes in the sidecar of the workload that it reaches. */
export interface InboundStep {
  /** `namespace/name`. */
  readonly workload: string;
  /** Counted from 0. */
  readonly replica: number;
  /** The names of Envoy, as its statistics show them. */
  readonly listener: string;
  readonly cluster: DestinationId;
  /** Whether requests are read there, or bytes passed on. */
  readonly protocol: "http" | "http2" | "tcp";
  /** What limits connections there. */
  readonly policy: DestinationPolicy;
}

/** The inbound side of the way to these destinations, replica by replica; empty where no callee has a sidecar. */
export function findInboundSteps(
  table: Pick<RouteTable, "listeners" | "destinations">,
  destinations: readonly DestinationId[],
): readonly InboundStep[] {
  const endpoints = destinations.flatMap(
    (id): readonly DestinationEndpoint[] => table.destinations.get(id)?.endpoints ?? [],
  );
  return table.listeners.filter((listener) => isReached(listener, endpoints)).flatMap((each) => describe(each, table));
}

/** Whether one of these endpoints leads through a listener before its workload. */
export function isReached({ role, proxy, port }: Listener, endpoints: readonly DestinationEndpoint[]): boolean {
  return (
    role.kind === "inbound" &&
    endpoints.some(
      (endpoint) => endpoint.kind === "localWorkload" && endpoint.name === proxy && endpoint.inboundPort === port,
    )
  );
}

function describe(
  { id, proxy, role, filterChains }: Listener,
  { destinations }: Pick<RouteTable, "destinations">,
): readonly InboundStep[] {
  if (role.kind !== "inbound") return [];
  return filterChains.flatMap(destinationsOfChain).flatMap((cluster) => {
    const destination = destinations.get(cluster);
    if (destination === undefined) return [];
    const { protocol, policy } = destination;
    return [{ workload: proxy, replica: role.replica, listener: id, cluster, protocol, policy }];
  });
}
