import type { LocalWorkloadManifest, ObjectName } from "../manifest/manifest.ts";
import type { MeshConfig } from "../manifest/mesh-config.ts";
import type { Mesh } from "../mesh/mesh.ts";
import { meshConfigOf } from "../mesh/sidecar-scope.ts";
import { buildDestinationPolicy } from "./destination-policy.ts";
import { noMutation } from "./header-mutation.ts";
import { inboundDestinationId, inboundListenerId } from "./inbound-names.ts";
import type { InboundPort, InboundPorts } from "./inbound-ports.ts";
import type { ChainService, Destination, DestinationId, Listener, Retry } from "./route-table.ts";

export interface InboundParts {
  readonly listeners: readonly Listener[];
  readonly destinations: readonly Destination[];
}

/**
 * What stands before each replica of a workload with a sidecar: a listener for each of its ports, and the replica itself
 * as a destination, with the limits that count before it. Each replica has its own, because in a cluster each pod has its
 * own proxy, and limits are counted there.
 */
export function buildInbound(mesh: Pick<Mesh, "localWorkloads" | "manifests">, ports: InboundPorts): InboundParts {
  const config = meshConfigOf(mesh);
  const listeners: Listener[] = [];
  const destinations: Destination[] = [];
  for (const [workload, known] of ports) {
    const manifest = mesh.localWorkloads.get(workload);
    for (let replica = 0; replica < countReplicas(manifest); replica += 1) {
      for (const port of known.values()) {
        const destination = buildReplica(port, { workload, replica, config });
        destinations.push(destination);
        listeners.push(buildListener(port, { workload, replica, destination: destination.id }));
      }
    }
  }
  return { listeners, destinations };
}

function countReplicas(manifest: LocalWorkloadManifest | undefined): number {
  const source = manifest?.spec.source;
  return source?.kind === "command" ? source.replicas : (source?.addresses.length ?? 0);
}

interface ReplicaPlace {
  readonly workload: ObjectName;
  readonly replica: number;
}

function buildReplica(port: InboundPort, place: ReplicaPlace & { readonly config: MeshConfig }): Destination {
  const { workload, replica, config } = place;
  return {
    id: inboundDestinationId(workload, port.number, replica),
    host: port.host ?? workload,
    subset: undefined,
    port: port.number,
    protocol: port.protocol,
    resolution: "static",
    endpoints: [
      port.socket === undefined
        ? { kind: "localWorkload", name: workload, replica }
        : { kind: "address", address: port.socket, port: 0, weight: 1 },
    ],
    policy: { ...buildDestinationPolicy(port.blocks, config), loadBalancer: { kind: "roundRobin" } },
  };
}

function buildListener(port: InboundPort, place: ReplicaPlace & { readonly destination: DestinationId }): Listener {
  const { workload, replica, destination } = place;
  const id = inboundListenerId(workload, port.number, replica);
  return {
    id,
    proxy: workload,
    role: { kind: "inbound", replica },
    port: port.number,
    bind: undefined,
    filterChains: [{ id, servers: [], serverNames: [], tls: undefined, serves: buildService(port, destination) }],
  };
}

function buildService(port: InboundPort, destination: DestinationId): ChainService {
  if (port.protocol !== "tcp") {
    const retry = port.isGrpc ? undefined : beforeRequest;
    return { kind: "inboundHttp", route: { destination, servicePort: port.servicePort, retry } };
  }
  const arm = { destination, weight: 100, isDeclared: true, requestHeaders: noMutation, responseHeaders: noMutation };
  const origin = { virtualService: "", rule: 0, match: undefined, at: port.at };
  return { kind: "tcp", route: { origin, split: { id: destination, arms: [arm] } } };
}

/** Repeats what the workload cannot have seen. Source: Istio `route.go`, BuildDefaultHTTPInboundRoute. */
const beforeRequest: Retry = {
  attempts: 2,
  on: ["reset-before-request"],
  statusCodes: [],
  perTryTimeoutMs: undefined,
  backoffMs: undefined,
  avoidsPreviousHosts: false,
};
