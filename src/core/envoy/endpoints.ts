import { create } from "@bufbuild/protobuf";
import {
  type ClusterLoadAssignment,
  ClusterLoadAssignmentSchema,
} from "../../gen/envoy/config/endpoint/v3/endpoint_pb.ts";
import type { LocalityLbEndpointsSchema } from "../../gen/envoy/config/endpoint/v3/endpoint_components_pb.ts";
import { inboundListenerId } from "../routes/inbound-names.ts";
import type { Destination, DestinationEndpoint, Locality } from "../routes/route-table.ts";
import type { AddressSchema } from "../../gen/envoy/config/core/v3/address_pb.ts";
import type { Init } from "./init.ts";

export interface HostPort {
  readonly address: string;
  readonly port: number;
}

/** Where a replica of a local workload listens. */
export interface LocalReplica extends HostPort {
  /** Which one, counted from 0; its place in the list where it is absent. */
  readonly replica?: number | undefined;
  /** Gets no request that could go elsewhere. */
  readonly isUnready?: boolean | undefined;
}

/** Where the replicas of a local workload (`namespace/name`) listen now. */
export type LocalEndpoints = (localWorkload: string) => readonly LocalReplica[];

/** Emits the addresses behind a destination, under the destination's id, by priority and locality. */
export function emitEndpoints(destination: Destination, local: LocalEndpoints): ClusterLoadAssignment {
  const { usesLocalityWeights = false } = destination.policy;
  const groups = Map.groupBy(resolveEndpoints(destination, local), groupKey);
  const lowest = lowestPriorities(groups.values());
  return create(ClusterLoadAssignmentSchema, {
    clusterName: destination.id,
    endpoints: [...groups.values()].map((group) => emitGroup(group, lowest, usesLocalityWeights)),
  });
}

export interface ResolvedEndpoint extends HostPort {
  readonly weight: number;
  readonly locality: Locality | undefined;
  readonly priority: number;
  readonly localityWeight: number | undefined;
  /** The listener of this proxy that stands before the address; undefined where the address is dialled. */
  readonly inboundListener: string | undefined;
}

/**
 * The addresses behind a destination, with the replicas of its local workloads that are ready. A destination that is one
 * replica leads there all the same, as a pod's own proxy does: who comes that far has nowhere else to go, and proxies
 * would otherwise lose what is on its way while they hear of the replica's coming or going. Envoy wants weights of at
 * least 1.
 */
export function resolveEndpoints(destination: Destination, local: LocalEndpoints): readonly ResolvedEndpoint[] {
  return destination.endpoints.flatMap((endpoint) => {
    const { locality, priority = 0, localityWeight } = endpoint;
    return resolveAddresses(endpoint, local).map((address) => ({ ...address, locality, priority, localityWeight }));
  });
}

function resolveAddresses(
  endpoint: DestinationEndpoint,
  local: LocalEndpoints,
): readonly Pick<ResolvedEndpoint, "address" | "port" | "weight" | "inboundListener">[] {
  switch (endpoint.kind) {
    case "address":
      return [
        {
          address: endpoint.address,
          port: endpoint.port,
          weight: Math.max(1, endpoint.weight),
          inboundListener: undefined,
        },
      ];
    case "localWorkload": {
      const { name, replica: wanted, inboundPort } = endpoint;
      return local(name)
        .map((each, index) => ({ ...each, replica: each.replica ?? index }))
        .filter(({ replica, isUnready }) => (wanted === undefined ? isUnready !== true : replica === wanted))
        .map(({ address, port, replica }) => ({
          address,
          port,
          weight: 1,
          inboundListener: inboundPort === undefined ? undefined : inboundListenerId(name, inboundPort, replica),
        }));
    }
  }
}

function groupKey({ locality, priority }: ResolvedEndpoint): string {
  return JSON.stringify([priority, locality?.region, locality?.zone, locality?.subZone]);
}

/** Envoy wants priorities without gaps, and a workload that does not run would leave one. */
function lowestPriorities(groups: Iterable<readonly ResolvedEndpoint[]>): ReadonlyMap<number, number> {
  const used = new Set([...groups].map(([first]) => first?.priority ?? 0));
  return new Map([...used].toSorted((one, other) => one - other).map((priority, rank) => [priority, rank]));
}

function emitGroup(
  group: readonly ResolvedEndpoint[],
  ranks: ReadonlyMap<number, number>,
  usesLocalityWeights: boolean,
): Init<typeof LocalityLbEndpointsSchema> {
  const [first] = group;
  return {
    ...(first?.locality === undefined ? {} : { locality: { ...first.locality } }),
    priority: ranks.get(first?.priority ?? 0) ?? 0,
    // Without a weight a locality would get nothing where shares are drawn by locality.
    ...(usesLocalityWeights ? { loadBalancingWeight: Math.max(1, first?.localityWeight ?? 1) } : {}),
    lbEndpoints: group.map((endpoint) => ({
      hostIdentifier: { case: "endpoint", value: { address: emitEndpointAddress(endpoint) } },
      loadBalancingWeight: endpoint.weight,
    })),
  };
}

/** `unix:///path` is a socket, which has no port; `unix://@name` is one without a file. */
function emitEndpointAddress({ address, port, inboundListener }: ResolvedEndpoint): Init<typeof AddressSchema> {
  if (inboundListener !== undefined) {
    const addressNameSpecifier = { case: "serverListenerName" as const, value: inboundListener };
    return { address: { case: "envoyInternalAddress", value: { addressNameSpecifier } } };
  }
  return address.startsWith("unix://")
    ? { address: { case: "pipe", value: { path: address.slice("unix://".length) } } }
    : emitSocketAddress({ address, port });
}

export function emitSocketAddress({ address, port }: HostPort) {
  return {
    address: {
      case: "socketAddress" as const,
      value: { address, portSpecifier: { case: "portValue" as const, value: port } },
    },
  };
}
