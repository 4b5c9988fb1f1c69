import { objectName, type VirtualServiceManifest } from "../manifest/manifest.ts";
import type { MeshConfig } from "../manifest/mesh-config.ts";
import type { Mesh } from "../mesh/mesh.ts";
import type { Findings } from "./build-routes.ts";
import { buildVirtualHosts } from "./build-virtual-hosts.ts";
import type { DestinationResolver, DestinationSink } from "./destinations.ts";
import type { BoundListener, BoundServer } from "./gateway-servers.ts";
import type { GatewayWorkload } from "./gateway-workloads.ts";
import type { FilterChain, HttpRouting, ListenerServer } from "./route-table.ts";

/** What the listeners of every gateway workload are built from, and what they fill. */
export interface GatewayBuilding {
  readonly mesh: Mesh;
  readonly config: MeshConfig;
  /** With delegates in their places. */
  readonly virtualServices: readonly VirtualServiceManifest[];
  readonly sink: DestinationSink;
  /** `namespace/name host` of every host of a VirtualService that some server serves. */
  readonly served: Set<string>;
}

/** What the filter chains of one listener are built with. */
export interface ChainBuilding extends GatewayBuilding {
  readonly workload: GatewayWorkload;
  readonly listener: BoundListener;
  readonly listenerId: string;
  /** By `namespace/name` of the Gateway, in merge order. */
  readonly byGateway: ReadonlyMap<string, readonly VirtualServiceManifest[]>;
  readonly destinations: DestinationResolver;
  readonly findings: Findings;
}

/** A chain, and its virtual hosts where it carries HTTP. */
export interface BuiltChain {
  readonly chain: FilterChain;
  readonly routing: HttpRouting | undefined;
}

/** One chain with the virtual hosts of some servers. */
export function buildHttpChain(
  building: ChainBuilding,
  servers: readonly BoundServer[],
  { id, isTls }: { readonly id: string; readonly isTls: boolean },
): BuiltChain & { readonly routing: HttpRouting } {
  const { workload, byGateway, destinations, findings, served, config } = building;
  const virtualHosts = buildVirtualHosts(
    {
      servers,
      virtualServices: byGateway,
      place: { client: workload, destinations, isTls, defaultRetries: config.defaultHttpRetryPolicy },
      onServed: (virtualService, host) => served.add(`${objectName(virtualService)} ${host}`),
    },
    findings,
  );
  return {
    chain: {
      id,
      servers: servers.map(describeServer),
      serverNames: [],
      tls: undefined,
      serves: { kind: "http", routing: id },
    },
    routing: { id, virtualHosts },
  };
}

/** Connections have no host, so a route serves every host of its VirtualService. */
export function markServed(served: Set<string>, virtualService: VirtualServiceManifest): void {
  for (const host of virtualService.spec.hosts) {
    served.add(`${objectName(virtualService)} ${host.toLowerCase()}`);
  }
}

export function describeServer({ gateway, server, bindings }: BoundServer): ListenerServer {
  return { gateway, server: server.name, hosts: bindings.map((binding) => binding.host), at: server.at };
}
