import { create } from "@bufbuild/protobuf";
import {
  type ClusterLoadAssignment,
  ClusterLoadAssignmentSchema,
} from "../../gen/envoy/config/endpoint/v3/endpoint_pb.ts";
import type { LbEndpointSchema } from "../../gen/envoy/config/endpoint/v3/endpoint_components_pb.ts";
import type { Destination } from "../routes/route-table.ts";
import type { Init } from "./init.ts";

export interface HostPort {
  readonly address: string;
  readonly port: number;
}

/** Where the replicas of a local workload (`namespace/name`) listen now; those that are not ready are left out. */
export type LocalEndpoints = (localWorkload: string) => readonly HostPort[];

/** Emits the addresses behind a destination, under the destination's id. */
export function emitEndpoints(destination: Destination, local: LocalEndpoints): ClusterLoadAssignment {
  const lbEndpoints = resolveEndpoints(destination, local).map(
    ({ address, port, weight }): Init<typeof LbEndpointSchema> => ({
      hostIdentifier: { case: "endpoint", value: { address: emitSocketAddress({ address, port }) } },
      loadBalancingWeight: weight,
    }),
  );
  return create(ClusterLoadAssignmentSchema, {
    clusterName: destination.id,
    endpoints: lbEndpoints.length === 0 ? [] : [{ lbEndpoints }],
  });
}

export interface ResolvedEndpoint extends HostPort {
  readonly weight: number;
}

/** The addresses behind a destination, with the replicas of its local workloads. Envoy wants weights of at least 1. */
export function resolveEndpoints(destination: Destination, local: LocalEndpoints): readonly ResolvedEndpoint[] {
  return destination.endpoints.flatMap((endpoint) => {
    switch (endpoint.kind) {
      case "address":
        return [{ address: endpoint.address, port: endpoint.port, weight: Math.max(1, endpoint.weight) }];
      case "localWorkload":
        return local(endpoint.name).map(({ address, port }) => ({ address, port, weight: 1 }));
    }
  });
}

export function emitSocketAddress({ address, port }: HostPort) {
  return {
    address: {
      case: "socketAddress" as const,
      value: { address, portSpecifier: { case: "portValue" as const, value: port } },
    },
  };
}
