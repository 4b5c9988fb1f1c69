import type { HostName, MeshService } from "../mesh/mesh.ts";
import { buildConnectionChains } from "./outbound-connections.ts";
import { authoritiesOf } from "./outbound-names.ts";
import type { OutboundPlace } from "./outbound-routing.ts";
import type { OutboundPort } from "./outbound-services.ts";
import type { OutboundView } from "./outbound-view.ts";
import type { FilterChain, HttpRouting, Listener, VirtualHost } from "./route-table.ts";

/** The listener of one port of one service, and its own routing where it carries HTTP. */
export interface ServiceParts {
  readonly listener: Listener;
  readonly routing: HttpRouting | undefined;
}

/** The routing of all HTTP ports of a view; the listeners of single services are named after it. */
export function viewRoutingId({ id }: OutboundView): string {
  return `outbound:${id}`;
}

/**
 * The listeners of single services on one port: for HTTP those of the view's own namespace, which are the ones that
 * Kubernetes tells a process about, and for connections all that it knows, because nothing else would lead there.
 */
export function buildServiceParts(
  known: OutboundPort,
  hosts: readonly VirtualHost[],
  place: OutboundPlace,
): readonly ServiceParts[] {
  const { view } = place;
  const byDomain = new Map(
    hosts.flatMap((host) => [host.domain, ...(host.aliases ?? [])].map((domain) => [domain, host] as const)),
  );
  const http = [...known.services.values()].flatMap((service): readonly ServiceParts[] => {
    const virtualHost = byDomain.get(authoritiesOf([service.host], known.port)[0] ?? "");
    const isHome = service.origin.kind === "Service" && service.namespace === view.namespace;
    if (!isHome || virtualHost === undefined) return [];
    const id = listenerId(view, service.host, known.port);
    const chain: FilterChain = { ...bareChain, id, serves: { kind: "http", routing: id } };
    const { requiresHttps, routes } = virtualHost;
    // Whatever host a request names here, this service is meant.
    const routing = { id, virtualHosts: [{ domain: "*", requiresHttps, routes }] };
    return [{ listener: listenerOf(id, service, { known, view, filterChains: [chain] }), routing }];
  });
  const connections = known.connectionServices.filter(hasAddresses).map((service): ServiceParts => {
    const id = listenerId(view, service.host, known.port);
    const filterChains = buildConnectionChains({ known, service, id }, place);
    return { listener: listenerOf(id, service, { known, view, filterChains }), routing: undefined };
  });
  return [...http, ...connections];
}

const bareChain = { servers: [], serverNames: [], tls: undefined };

/** Where only the request says which host is meant, bytes that are no request say nothing. */
function hasAddresses({ resolution }: MeshService): boolean {
  return resolution !== "none" && resolution !== "requestHost";
}

function listenerId(view: OutboundView, host: HostName, port: number): string {
  return `${viewRoutingId(view)}:${host}:${port}`;
}

interface ListenerParts {
  readonly known: OutboundPort;
  readonly view: OutboundView;
  readonly filterChains: readonly FilterChain[];
}

function listenerOf(id: string, service: MeshService, { known, view, filterChains }: ListenerParts): Listener {
  return {
    id,
    proxy: view.members[0]?.name ?? view.id,
    role: { kind: "outboundService", host: service.host },
    port: known.port,
    bind: undefined,
    filterChains,
  };
}
