import type {
  CallerStatus,
  GatewayAddress,
  InboundStatus,
  ProxyStatus,
  ServiceStatus,
  Status,
  TrafficSample,
  VersionStatus,
  WorkloadStatus,
} from "../api/types.ts";
import type { DescribedVersion, ServiceDescription } from "../core/release/move/describe-service.ts";
import type { Destination, DestinationId, FilterChain, RouteTable } from "../core/routes/route-table.ts";
import type { GatewayPorts } from "../local/ports.ts";
import { findRoutedHost } from "./routed-host.ts";

export interface StatusParts {
  readonly table: RouteTable;
  readonly ports: GatewayPorts;
  readonly listenAddress: string;
  readonly services: readonly ServiceDescription[];
  readonly proxies: readonly ProxyStatus[];
  readonly workloads: readonly WorkloadStatus[];
  readonly lastSample: TrafficSample | undefined;
  readonly inbound: readonly InboundStatus[];
  readonly callers: readonly CallerStatus[];
  readonly refusedManifests: readonly string[];
  readonly additions: Status["additions"];
  endpoints(localWorkload: string): readonly { readonly ready: boolean }[];
  /** Endpoints that are not ready, and therefore not in the table; none where it is not given. */
  unready?(destination: DestinationId): number;
}

/** Puts together what `kirikae status` and the page show. */
export function buildStatus(parts: StatusParts): Status {
  const rates = new Map(parts.lastSample?.services.map((each) => [each.virtualService, each.versions]));
  return {
    gateways: buildGatewayAddresses(parts),
    services: parts.services
      .filter(isMovable)
      .map((service) => buildServiceStatus(service, { ...parts, rates: rates.get(service.virtualService) ?? [] })),
    proxies: parts.proxies,
    workloads: parts.workloads,
    inbound: parts.inbound,
    callers: parts.callers,
    refusedManifests: parts.refusedManifests,
    additions: parts.additions,
  };
}

/** One entry for each server of each gateway, in the order of the listeners. */
function buildGatewayAddresses(
  parts: Pick<StatusParts, "table" | "ports" | "listenAddress">,
): readonly GatewayAddress[] {
  return parts.table.listeners.flatMap((listener) =>
    listener.filterChains.flatMap((chain) =>
      chain.servers.map((server) => ({
        gateway: server.gateway,
        server: server.server,
        hosts: server.hosts,
        port: listener.port,
        protocol: protocolOf(chain),
        address: `${parts.listenAddress}:${parts.ports.get(listener.id) ?? listener.port}`,
        ...withRoutedHost(findRoutedHost(parts.table, { chain, hosts: server.hosts })),
        ...(chain.tls?.mode === "mutual" ? { asksForCertificate: true as const } : {}),
      })),
    ),
  );
}

function withRoutedHost(routedHost: string | undefined): Pick<GatewayAddress, "routedHost"> {
  return routedHost === undefined ? {} : { routedHost };
}

function protocolOf({ tls, serves, serverNames }: FilterChain): GatewayAddress["protocol"] {
  if (serves.kind === "http") return tls === undefined ? "http" : "https";
  return tls === undefined && serverNames.length === 0 ? "tcp" : "tls";
}

/** One whose rules all answer by themselves, or have one place to send to, is routed but has nothing to choose. */
function isMovable({ rules }: ServiceDescription): boolean {
  return rules.some(({ role }) => role !== "other");
}

interface ServiceParts extends Pick<StatusParts, "table" | "endpoints" | "unready"> {
  /** Of the last second; versions without traffic may be missing. */
  readonly rates: TrafficSample["services"][number]["versions"];
}

function buildServiceStatus(service: ServiceDescription, parts: ServiceParts): ServiceStatus {
  const { virtualService, hosts, live, versions, rules, isMoved } = service;
  return {
    virtualService,
    hosts,
    live,
    versions: versions.map((version) => {
      const rate = parts.rates.find(({ name }) => name === version.name);
      return {
        ...buildVersionStatus(version, parts),
        requestsPerSecond: rate?.requestsPerSecond ?? 0,
        errorsPerSecond: rate?.errorsPerSecond ?? 0,
      };
    }),
    rules,
    isMoved,
  };
}

function buildVersionStatus(
  version: DescribedVersion,
  { table, endpoints, unready }: Pick<StatusParts, "table" | "endpoints" | "unready">,
): Pick<VersionStatus, "name" | "role" | "readyEndpoints" | "endpoints"> {
  const all = version.destinations.flatMap((id) => readinessOf(table.destinations.get(id), endpoints));
  const away = version.destinations.reduce((sum, id) => sum + (unready?.(id) ?? 0), 0);
  const readyEndpoints = all.filter(Boolean).length;
  return { name: version.name, role: version.role, endpoints: all.length + away, readyEndpoints };
}

/** An address that a manifest fixes counts as ready: nobody watches it but the proxy. */
function readinessOf(destination: Destination | undefined, endpoints: StatusParts["endpoints"]): readonly boolean[] {
  return (destination?.endpoints ?? []).flatMap((endpoint) =>
    endpoint.kind === "address" ? [true] : endpoints(endpoint.name).map(({ ready }) => ready),
  );
}
