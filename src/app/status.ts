import type {
  GatewayAddress,
  ProxyStatus,
  ServiceStatus,
  Status,
  TrafficSample,
  VersionStatus,
  WorkloadStatus,
} from "../api/types.ts";
import type { Destination, RouteTable } from "../core/routes/route-table.ts";
import type { GatewayPorts } from "../local/ports.ts";
import type { ServiceView, VersionView } from "./service-view.ts";

export interface StatusParts {
  readonly table: RouteTable;
  readonly ports: GatewayPorts;
  readonly listenAddress: string;
  readonly services: readonly ServiceView[];
  readonly proxies: readonly ProxyStatus[];
  readonly workloads: readonly WorkloadStatus[];
  readonly lastSample: TrafficSample | undefined;
  readonly refusedManifests: readonly string[];
  endpoints(localWorkload: string): readonly { readonly ready: boolean }[];
}

/** Puts together what `kirikae status` and the page show. */
export function buildStatus(parts: StatusParts): Status {
  return {
    gateways: buildGatewayAddresses(parts),
    services: parts.services.map((service) => buildServiceStatus(service, parts)),
    proxies: parts.proxies,
    workloads: parts.workloads,
    refusedManifests: parts.refusedManifests,
  };
}

/** One entry for each server of each gateway, in the order of the listeners. */
export function buildGatewayAddresses(
  parts: Pick<StatusParts, "table" | "ports" | "listenAddress">,
): readonly GatewayAddress[] {
  return parts.table.listeners.flatMap((listener) =>
    listener.servers.map((server) => ({
      gateway: server.gateway,
      server: server.server,
      hosts: server.hosts,
      port: listener.port,
      address: `${parts.listenAddress}:${parts.ports.get(listener.id) ?? listener.port}`,
    })),
  );
}

export function buildServiceStatus(
  service: ServiceView,
  parts: Pick<StatusParts, "table" | "lastSample" | "endpoints">,
): ServiceStatus {
  const rates = parts.lastSample?.services.find((each) => each.virtualService === service.virtualService);
  return {
    virtualService: service.virtualService,
    hosts: service.domains,
    live: service.live,
    versions: service.versions.map((version) => ({
      ...buildVersionStatus(version, parts),
      requestsPerSecond: rates?.versions.find((each) => each.name === version.name)?.requestsPerSecond ?? 0,
      errorsPerSecond: rates?.versions.find((each) => each.name === version.name)?.errorsPerSecond ?? 0,
    })),
    rules: service.rules.map(({ rule, name, role, shares }) => ({ rule, name, role, weights: shares })),
    isMoved: service.isMoved,
  };
}

function buildVersionStatus(
  version: VersionView,
  { table, endpoints }: Pick<StatusParts, "table" | "endpoints">,
): Pick<VersionStatus, "name" | "role" | "readyEndpoints" | "endpoints"> {
  const all = version.destinations.flatMap((id) => readinessOf(table.destinations.get(id), endpoints));
  return { name: version.name, role: version.role, endpoints: all.length, readyEndpoints: all.filter(Boolean).length };
}

/** An address that a manifest fixes counts as ready: nobody watches it but the proxy. */
function readinessOf(destination: Destination | undefined, endpoints: StatusParts["endpoints"]): readonly boolean[] {
  return (destination?.endpoints ?? []).flatMap((endpoint) =>
    endpoint.kind === "address" ? [true] : endpoints(endpoint.name).map(({ ready }) => ready),
  );
}
