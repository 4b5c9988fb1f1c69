import type { HostName, Mesh } from "../mesh/mesh.ts";
import { buildDestination, type DestinationSources } from "./build-destination.ts";
import type { Findings } from "./build-routes.ts";
import { createDestinationView, type DestinationView } from "./destination-view.ts";
import type { InboundPorts } from "./inbound-ports.ts";
import type { RouteClient } from "./route-client.ts";
import type { Destination, DestinationId } from "./route-table.ts";
import type { SecretStore } from "./secret-store.ts";

/** A host in full, with the port decided; what one arm sends to. */
export interface DestinationRef {
  readonly host: HostName;
  readonly subset: string | undefined;
  readonly port: number;
}

/** Looks destinations up in the mesh, as one client sees it, and collects those that exist. */
export interface DestinationResolver {
  /** The port that counts when a rule names none: the service's only one, else the listener's. */
  inferPort(host: HostName, listenerPort: number): number;
  /** The host that is meant by an ExternalName Service. Source: Istio `route.go`, GetDestinationCluster. */
  aliasOf(host: HostName): HostName | undefined;
  /** The identity of a destination, whether it exists or not; those that exist are collected. */
  resolve(ref: DestinationRef): DestinationId;
  exists(ref: DestinationRef): boolean;
  /** Names of the subsets that count for a host. */
  subsetsOf(host: HostName): readonly string[];
  usesConsistentHash(ref: DestinationRef): boolean;
}

/** What several resolvers of one mesh fill together. */
export interface DestinationSink {
  /** Receives every destination that exists for some client. */
  readonly destinations: Map<DestinationId, Destination>;
  readonly secrets: SecretStore;
  readonly findings: Findings;
  /** Ports of workloads that are reached through a proxy of their own. */
  readonly inboundPorts: InboundPorts;
}

/**
 * Destinations for one client. The plain name stands for what a client in the service's own namespace sees; a client
 * that sees another policy, other subsets or another distance gets a destination of its own, with what makes the
 * difference after the name, so that no client changes another's.
 */
export function createDestinationResolver(mesh: Mesh, client: RouteClient, sink: DestinationSink): DestinationResolver {
  const view = createDestinationView(mesh, client);
  const known = new Map<DestinationId, Resolved>();
  const lookUp = (ref: DestinationRef): Resolved => {
    const key = destinationId(ref);
    let resolved = known.get(key);
    if (resolved === undefined) {
      resolved = resolveOne(ref, view, sink);
      known.set(key, resolved);
    }
    return resolved;
  };
  return {
    inferPort: (host, listenerPort) => {
      const ports = view.serviceOf(host)?.ports ?? [];
      return ports.length === 1 && ports[0] !== undefined ? ports[0].number : listenerPort;
    },
    aliasOf: (host) => view.serviceOf(host)?.aliasOf,
    resolve: (ref) => {
      const { id, destination } = lookUp(ref);
      if (destination !== undefined && !sink.destinations.has(id)) {
        sink.destinations.set(id, destination);
      }
      return id;
    },
    exists: (ref) => lookUp(ref).destination !== undefined,
    subsetsOf: (host) => view.ruleFor(host)?.subsets.map((subset) => subset.name) ?? [],
    usesConsistentHash: (ref) => {
      const kind = lookUp(ref).destination?.policy.loadBalancer.kind;
      return kind === "ringHash" || kind === "maglev";
    },
  };
}

/** `outbound|<port>|<subset>|<host>`: Istio's `model.BuildSubsetKey`. */
export function destinationId({ host, subset, port }: DestinationRef): DestinationId {
  return `outbound|${port}|${subset ?? ""}|${host}`;
}

interface Resolved {
  readonly id: DestinationId;
  readonly destination: Destination | undefined;
}

function resolveOne(ref: DestinationRef, view: DestinationView, sink: DestinationSink): Resolved {
  const service = view.serviceOf(ref.host);
  const rule = view.ruleFor(ref.host);
  const id = destinationId(ref) + view.variantOf(ref.host);
  if (service === undefined) {
    return { id, destination: undefined };
  }
  const sources: DestinationSources = { service, rule, client: view.client, config: view.config };
  return { id, destination: buildDestination({ ...ref, id }, sources, sink) };
}
