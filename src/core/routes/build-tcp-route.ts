import { coversHost } from "../manifest/host-pattern.ts";
import { objectName, type VirtualServiceManifest } from "../manifest/manifest.ts";
import type { ConnectionMatch, RouteDestination } from "../manifest/virtual-service.ts";
import { resolveGatewayName } from "../mesh/gateway-name.ts";
import { resolveHost } from "../mesh/host-name.ts";
import { buildSplit } from "./build-split.ts";
import type { DestinationResolver } from "./destinations.ts";
import type { BoundServer } from "./gateway-servers.ts";
import type { RouteOrigin, TcpRoute } from "./route-table.ts";

/** Where the connections of one server are routed. */
export interface TcpPlace {
  readonly bound: BoundServer;
  /** Bound to its Gateway, in merge order. */
  readonly virtualServices: readonly VirtualServiceManifest[];
  readonly destinations: DestinationResolver;
}

export type TcpResult =
  | { readonly kind: "route"; readonly route: TcpRoute; readonly virtualService: VirtualServiceManifest }
  /** The destinations cannot be used; `code` and `message` are those of the diagnostic. */
  | ({
      readonly kind: "refused";
      readonly at: RouteOrigin["at"];
      readonly virtualService: VirtualServiceManifest;
    } & Pick<Extract<ReturnType<typeof buildSplit>, { kind: "refused" }>, "code" | "message">)
  | { readonly kind: "none" };

/**
 * The route of a server that carries plain bytes: the first `tcp` rule for its port, of the first VirtualService with a
 * host in common, takes every connection. Source: Istio `gateway.go`, buildGatewayNetworkFiltersFromTCPRoutes.
 */
export function buildTcpRoute(place: TcpPlace): TcpResult {
  for (const virtualService of place.virtualServices) {
    if (!sharesHost(place.bound, virtualService)) continue;
    const rules = virtualService.spec.tcp;
    const rule = rules.findIndex(
      ({ match }) => match.length === 0 || match.some((entry) => applies(entry, place, virtualService)),
    );
    const source = rules[rule];
    if (source === undefined) continue;
    return buildConnections({ place: portOf(place), virtualService, kind: "tcp", rule, match: undefined, source });
  }
  return { kind: "none" };
}

/** A route for connections that ask for one of some names. */
export interface SniRoute {
  /** Lower case; `*` is any name. */
  readonly sniHosts: readonly string[];
  readonly at: RouteOrigin["at"];
  readonly virtualService: VirtualServiceManifest;
  readonly result: TcpResult;
}

/**
 * The routes of a server that passes TLS through, one for each entry of `tls` that applies to it, in order.
 * Source: Istio `gateway.go`, buildGatewayNetworkFiltersFromTLSRoutes.
 */
export function buildSniRoutes(place: TcpPlace): readonly SniRoute[] {
  return place.virtualServices
    .filter((virtualService) => sharesHost(place.bound, virtualService))
    .flatMap((virtualService) =>
      virtualService.spec.tls.flatMap((source, rule) =>
        source.match.flatMap((entry, match) =>
          applies(entry, place, virtualService)
            ? [
                {
                  sniHosts: entry.sniHosts.map((host) => host.toLowerCase()),
                  at: entry.at,
                  virtualService,
                  result: buildConnections({ place: portOf(place), virtualService, kind: "tls", rule, match, source }),
                },
              ]
            : [],
        ),
      ),
    );
}

/** Whether a server and a VirtualService have a name in common, the namespace in front of the server's host included. */
function sharesHost({ bindings }: BoundServer, { metadata, spec }: VirtualServiceManifest): boolean {
  const hosts = spec.hosts.map((host) => resolveHost(host, metadata.namespace));
  return bindings.some(
    ({ namespace, host }) =>
      (namespace === undefined || namespace === metadata.namespace) &&
      hosts.some((other) => coversHost(host, other) || coversHost(other, host)),
  );
}

/** Port and gateways alone; source labels and subnets are not asked at a gateway. */
function applies(
  { port, gateways }: ConnectionMatch,
  { bound }: TcpPlace,
  { metadata }: VirtualServiceManifest,
): boolean {
  const isPort = port === undefined || port === 0 || port === bound.server.port.number;
  return (
    isPort &&
    (gateways.length === 0 ||
      gateways.some((gateway) => resolveGatewayName(gateway, metadata.namespace) === bound.gateway))
  );
}

/** One rule for connections, and what decides where its destinations lead. */
export interface ConnectionRule {
  readonly place: Pick<TcpPlace, "destinations"> & { readonly port: number };
  readonly virtualService: VirtualServiceManifest;
  readonly kind: "tcp" | "tls";
  readonly rule: number;
  readonly match: number | undefined;
  readonly source: { readonly destinations: readonly RouteDestination[]; readonly at: RouteOrigin["at"] };
}

function portOf({ bound, destinations }: TcpPlace): ConnectionRule["place"] {
  return { port: bound.server.port.number, destinations };
}

const noHeaders = { set: {}, add: {}, remove: [] };
const noOperations = { request: noHeaders, response: noHeaders };

/** The split of a rule for connections; a share is drawn for each of them. */
export function buildConnections({ place, virtualService, kind, rule, match, source }: ConnectionRule): TcpResult {
  const name = objectName(virtualService);
  const origin = { virtualService: name, rule, match, at: source.at };
  const declared = source.destinations.map((entry) => ({ ...entry, headers: noOperations }));
  const split = buildSplit(`${name}/${kind}~${rule}`, declared, {
    namespace: virtualService.metadata.namespace,
    listenerPort: place.port,
    destinations: place.destinations,
    siblings: [],
  });
  if (split.kind === "refused") {
    return { ...split, at: source.at, virtualService };
  }
  // Weights of connections are in the listener, so no arm is kept ready for what takes nothing now.
  const arms = split.split.arms.filter(({ weight }) => weight > 0);
  return { kind: "route", route: { origin, split: { ...split.split, arms } }, virtualService };
}
