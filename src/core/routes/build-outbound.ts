import type { HostName, Mesh, MeshService } from "../mesh/mesh.ts";
import type { MeshCaller } from "../mesh/sidecar-injection.ts";
import { meshConfigOf } from "../mesh/sidecar-scope.ts";
import { createDestinationResolver, type DestinationSink } from "./destinations.ts";
import { buildFallbackHost } from "./outbound-fallback.ts";
import { authoritiesOf } from "./outbound-names.ts";
import { buildOutboundHosts } from "./outbound-routing.ts";
import { findOutboundPorts } from "./outbound-services.ts";
import { groupOutboundViews, type OutboundView } from "./outbound-view.ts";
import type { HttpRouting, Listener, Proxy, VirtualHost } from "./route-table.ts";
import { SplitNames } from "./split-names.ts";

export interface OutboundParts {
  readonly proxies: readonly Proxy[];
  readonly listeners: readonly Listener[];
  readonly httpRoutings: readonly HttpRouting[];
}

export interface OutboundBuilding {
  readonly mesh: Mesh;
  /** Receives every destination that a caller can reach. */
  readonly sink: DestinationSink;
  /** Of the gateways: a rule whose arms are the same here and there is one split. */
  readonly httpRoutings: readonly HttpRouting[];
}

/**
 * The routing of what workloads with a sidecar send: for each workload one listener that is told the host and port of
 * every request, as an HTTP proxy is; and for each port of a Service of its own namespace one that needs no telling.
 * Workloads for which the mesh looks the same share their routing.
 */
export function buildOutbound(building: OutboundBuilding): OutboundParts {
  const { mesh } = building;
  const names = new SplitNames(building.httpRoutings);
  const parts = groupOutboundViews(mesh).map((view) => buildView(view, building, names));
  return {
    proxies: parts.flatMap(({ proxies }) => proxies),
    listeners: parts.flatMap(({ listeners }) => listeners),
    httpRoutings: parts.flatMap(({ httpRoutings }) => httpRoutings),
  };
}

/** The listener that takes every HTTP request of a workload. */
export function outboundListenerId(caller: string): string {
  return `outbound:${caller}`;
}

function buildView(view: OutboundView, building: OutboundBuilding, names: SplitNames): OutboundParts {
  const { mesh, sink } = building;
  const { findings } = sink;
  const client = { kind: "sidecar" as const, namespace: view.namespace, labels: view.labels };
  const destinations = createDestinationResolver(mesh, client, sink);
  const defaultRetries = meshConfigOf(mesh).defaultHttpRetryPolicy;
  const virtualHosts: VirtualHost[] = [];
  const services: ServicePort[] = [];
  for (const known of findOutboundPorts(mesh, view)) {
    const hosts = names.apply(buildOutboundHosts(known, { view, destinations, findings, defaultRetries }));
    virtualHosts.push(...hosts);
    services.push(...homeServices(view, hosts, { port: known.port, services: known.services }));
  }
  virtualHosts.push(buildFallbackHost(mesh, view, { destinations, found: sink.destinations }));
  const id = `outbound:${view.id}`;
  return {
    proxies: view.members.map(describeProxy),
    listeners: [
      ...view.members.map((member) => httpListener(member, id)),
      ...services.map((service) => serviceListener(view, service)),
    ],
    httpRoutings: [
      { id, matchesPorts: true, virtualHosts },
      ...services.map((service) => serviceRouting(view, service)),
    ],
  };
}

interface ServicePort {
  readonly service: MeshService;
  readonly port: number;
  readonly virtualHost: VirtualHost;
}

/** Kubernetes tells a process where the Services of its own namespace are, and those alone. */
function homeServices(
  view: OutboundView,
  hosts: readonly VirtualHost[],
  { port, services }: { readonly port: number; readonly services: ReadonlyMap<HostName, MeshService> },
): readonly ServicePort[] {
  const byDomain = new Map(hosts.map((host) => [host.domain, host]));
  return [...services.values()].flatMap((service) => {
    const virtualHost = byDomain.get(authoritiesOf([service.host], port)[0] ?? "");
    const isHome = service.origin.kind === "Service" && service.namespace === view.namespace;
    return isHome && virtualHost !== undefined ? [{ service, port, virtualHost }] : [];
  });
}

function describeProxy({ name, namespace, labels }: MeshCaller): Proxy {
  return { id: name, kind: "sidecar", namespace, labels };
}

/** The port of an HTTP proxy is nobody's in the mesh; 80 is the one that requests have when they name none. */
function httpListener({ name }: MeshCaller, routing: string): Listener {
  const id = outboundListenerId(name);
  return {
    id,
    proxy: name,
    role: { kind: "outboundHttp" },
    port: 80,
    bind: undefined,
    filterChains: [{ id, servers: [], serverNames: [], tls: undefined, serves: { kind: "http", routing } }],
  };
}

function serviceId(view: OutboundView, { service, port }: ServicePort): string {
  return `outbound:${view.id}:${service.host}:${port}`;
}

function serviceListener(view: OutboundView, entry: ServicePort): Listener {
  const id = serviceId(view, entry);
  return {
    id,
    proxy: view.members[0]?.name ?? view.id,
    role: { kind: "outboundService", host: entry.service.host },
    port: entry.port,
    bind: undefined,
    filterChains: [{ id, servers: [], serverNames: [], tls: undefined, serves: { kind: "http", routing: id } }],
  };
}

/** Whatever host a request names here, this service is meant. */
function serviceRouting(view: OutboundView, entry: ServicePort): HttpRouting {
  const { requiresHttps, routes } = entry.virtualHost;
  return { id: serviceId(view, entry), virtualHosts: [{ domain: "*", requiresHttps, routes }] };
}
