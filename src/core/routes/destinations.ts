import { findDestinationRule, type MergedDestinationRule } from "../mesh/destination-rule-lookup.ts";
import type { HostName, Mesh, MeshPort, MeshService } from "../mesh/mesh.ts";
import { buildDestinationPolicy, resolvePolicyBlocks, upgradesToHttp2 } from "./destination-policy.ts";
import { isSubset } from "./gateway-workloads.ts";
import type { Destination, DestinationEndpoint, DestinationId } from "./route-table.ts";

/** A host in full, with the port decided; what one arm sends to. */
export interface DestinationRef {
  readonly host: HostName;
  readonly subset: string | undefined;
  readonly port: number;
}

/** Looks destinations up in the mesh, as a client in one namespace sees it, and collects those that exist. */
export interface DestinationResolver {
  /** The port that counts when a rule names none: the service's only one, else the listener's. */
  inferPort(host: HostName, listenerPort: number): number;
  /** The identity of a destination, whether it exists or not; those that exist are collected. */
  resolve(ref: DestinationRef): DestinationId;
  exists(ref: DestinationRef): boolean;
  /** Names of the subsets that count for a host. */
  subsetsOf(host: HostName): readonly string[];
  usesConsistentHash(ref: DestinationRef): boolean;
}

/** `found` receives every destination that exists; several resolvers may fill one map. */
export function createDestinationResolver(
  mesh: Mesh,
  clientNamespace: string,
  found: Map<DestinationId, Destination>,
): DestinationResolver {
  const rules = new Map<HostName, MergedDestinationRule | undefined>();
  const known = new Map<DestinationId, Destination | undefined>();
  const ruleFor = (host: HostName): MergedDestinationRule | undefined => {
    if (!rules.has(host)) {
      rules.set(host, findDestinationRule(mesh, host, { clientNamespace }));
    }
    return rules.get(host);
  };
  const lookUp = (ref: DestinationRef): Destination | undefined => {
    const id = destinationId(ref);
    if (!known.has(id)) {
      const service = mesh.services.get(ref.host);
      known.set(id, service === undefined ? undefined : buildDestination(ref, service, ruleFor(ref.host)));
    }
    return known.get(id);
  };
  return {
    inferPort: (host, listenerPort) => {
      const ports = mesh.services.get(host)?.ports ?? [];
      return ports.length === 1 && ports[0] !== undefined ? ports[0].number : listenerPort;
    },
    resolve: (ref) => {
      const id = destinationId(ref);
      const destination = lookUp(ref);
      if (destination !== undefined && !found.has(id)) {
        found.set(id, destination);
      }
      return id;
    },
    exists: (ref) => lookUp(ref) !== undefined,
    subsetsOf: (host) => ruleFor(host)?.subsets.map((subset) => subset.name) ?? [],
    usesConsistentHash: (ref) => {
      const kind = lookUp(ref)?.policy.loadBalancer.kind;
      return kind === "ringHash" || kind === "maglev";
    },
  };
}

/** `outbound|<port>|<subset>|<host>`: Istio's `model.BuildSubsetKey`. */
export function destinationId({ host, subset, port }: DestinationRef): DestinationId {
  return `outbound|${port}|${subset ?? ""}|${host}`;
}

/**
 * Undefined for a port or a subset that does not exist, and for a subset without endpoints of a service found by DNS:
 * Istio sends no cluster for these, so proxies answer 503 NC. Source: Istio `cluster_builder.go`, buildCluster.
 */
function buildDestination(
  ref: DestinationRef,
  service: MeshService,
  rule: MergedDestinationRule | undefined,
): Destination | undefined {
  const port = service.ports.find((candidate) => candidate.number === ref.port);
  const subset = rule?.subsets.find((candidate) => candidate.name === ref.subset);
  if (port === undefined || (ref.subset !== undefined && subset === undefined)) {
    return undefined;
  }
  const endpoints = service.resolution === "none" ? [] : endpointsOf(service, ref.port, subset?.labels ?? {});
  if (service.resolution === "dns" && ref.subset !== undefined && endpoints.length === 0) {
    return undefined;
  }
  return describeDestination(ref, { service, protocol: port.protocol, endpoints, rule });
}

function describeDestination(
  ref: DestinationRef,
  parts: {
    readonly service: MeshService;
    readonly protocol: MeshPort["protocol"];
    readonly endpoints: readonly DestinationEndpoint[];
    readonly rule: MergedDestinationRule | undefined;
  },
): Destination {
  const { service, protocol, endpoints, rule } = parts;
  const subset = rule?.subsets.find((candidate) => candidate.name === ref.subset);
  const blocks = resolvePolicyBlocks({
    rule: rule?.trafficPolicy,
    subset: subset?.trafficPolicy,
    port: ref.port,
  });
  return {
    id: destinationId(ref),
    host: ref.host,
    subset: ref.subset,
    port: ref.port,
    protocol: protocol === "http2" || upgradesToHttp2(blocks.connectionPool) ? "http2" : "http",
    resolution: service.resolution === "dns" ? "dns" : "static",
    endpoints,
    policy: buildDestinationPolicy(blocks),
  };
}

function endpointsOf(
  service: MeshService,
  port: number,
  labels: Readonly<Record<string, string>>,
): readonly DestinationEndpoint[] {
  const endpoints: DestinationEndpoint[] = [];
  const workloads = new Set<string>();
  for (const endpoint of service.endpoints) {
    const dialled = endpoint.ports.get(port);
    if (dialled === undefined || !isSubset(labels, endpoint.labels)) {
      continue;
    }
    if (endpoint.source.kind === "address") {
      endpoints.push({
        kind: "address",
        address: endpoint.source.address,
        port: dialled,
        weight: endpoint.weight ?? 1,
      });
    } else if (!workloads.has(endpoint.source.name)) {
      workloads.add(endpoint.source.name);
      endpoints.push({ kind: "localWorkload", name: endpoint.source.name });
    }
  }
  return endpoints;
}
