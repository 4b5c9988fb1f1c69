import type { Mesh } from "../mesh/mesh.ts";
import type { MeshCaller } from "../mesh/sidecar-injection.ts";
import { meshConfigOf } from "../mesh/sidecar-scope.ts";
import { createDestinationResolver, type DestinationSink } from "./destinations.ts";
import { buildFallbackHost } from "./outbound-fallback.ts";
import { buildOutboundHosts, type OutboundPlace } from "./outbound-routing.ts";
import { buildServiceParts, type ServiceParts, viewRoutingId } from "./outbound-service-listeners.ts";
import { findOutboundPorts } from "./outbound-services.ts";
import { groupOutboundViews, type OutboundView } from "./outbound-view.ts";
import type { HttpRouting, Listener, Proxy, VirtualHost } from "./route-table.ts";
import type { SplitNames } from "./split-names.ts";

export interface OutboundParts {
  readonly proxies: readonly Proxy[];
  readonly listeners: readonly Listener[];
  readonly httpRoutings: readonly HttpRouting[];
}

export interface OutboundBuilding {
  readonly mesh: Mesh;
  /** Receives every destination that a caller can reach. */
  readonly sink: DestinationSink;
  /** Those that the gateways have begun: a rule whose arms are the same here and there is one split. */
  readonly names: SplitNames;
}

/**
 * The routing of what workloads with a sidecar send: for each workload one listener that is told the host and port of
 * every request, as an HTTP proxy is; and for ports of single services listeners that need no telling.
 * Workloads for which the mesh looks the same share their routing.
 */
export function buildOutbound(building: OutboundBuilding): OutboundParts {
  const parts = groupOutboundViews(building.mesh).map((view) => buildView(view, building));
  return {
    proxies: parts.flatMap(({ proxies }) => proxies),
    listeners: parts.flatMap(({ listeners }) => listeners),
    httpRoutings: parts.flatMap(({ httpRoutings }) => httpRoutings),
  };
}

function buildView(view: OutboundView, { mesh, sink, names }: OutboundBuilding): OutboundParts {
  const client = { kind: "sidecar" as const, namespace: view.namespace, labels: view.labels };
  const destinations = createDestinationResolver(mesh, client, sink);
  const defaultRetries = meshConfigOf(mesh).defaultHttpRetryPolicy;
  const place: OutboundPlace = { view, destinations, findings: sink.findings, defaultRetries };
  const virtualHosts: VirtualHost[] = [];
  const services: ServiceParts[] = [];
  for (const known of findOutboundPorts(mesh, view)) {
    const hosts = names.apply(buildOutboundHosts(known, place));
    virtualHosts.push(...hosts);
    services.push(...buildServiceParts(known, hosts, place));
  }
  virtualHosts.push(buildFallbackHost(mesh, view, { destinations, found: sink.destinations }));
  const id = viewRoutingId(view);
  return {
    proxies: view.members.map(describeProxy),
    listeners: [...view.members.map((member) => httpListener(member, id)), ...services.map(({ listener }) => listener)],
    httpRoutings: [
      { id, matchesPorts: true, virtualHosts },
      ...services.flatMap(({ routing }) => (routing === undefined ? [] : [routing])),
    ],
  };
}

function describeProxy({ name, namespace, labels }: MeshCaller): Proxy {
  return { id: name, kind: "sidecar", namespace, labels };
}

/** The port of an HTTP proxy is nobody's in the mesh; 80 is the one that requests have when they name none. */
function httpListener({ name }: MeshCaller, routing: string): Listener {
  const id = `outbound:${name}`;
  return {
    id,
    proxy: name,
    role: { kind: "outboundHttp" },
    port: 80,
    bind: undefined,
    filterChains: [{ id, servers: [], serverNames: [], tls: undefined, serves: { kind: "http", routing } }],
  };
}
