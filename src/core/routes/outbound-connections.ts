import { coversHost } from "../manifest/host-pattern.ts";
import type { VirtualServiceManifest } from "../manifest/manifest.ts";
import type { ConnectionMatch } from "../manifest/virtual-service.ts";
import { resolveGatewayName } from "../mesh/gateway-name.ts";
import { resolveHost } from "../mesh/host-name.ts";
import type { MeshService } from "../mesh/mesh.ts";
import { buildConnections, type TcpResult } from "./build-tcp-route.ts";
import { isSubset } from "./gateway-workloads.ts";
import { noMutation } from "./header-mutation.ts";
import type { OutboundPlace } from "./outbound-routing.ts";
import type { OutboundPort } from "./outbound-services.ts";
import type { OutboundView } from "./outbound-view.ts";
import { reportRefusedTcp } from "./report-gateway-server.ts";
import type { FilterChain, TcpRoute } from "./route-table.ts";

/** One port of a service that carries connections, as a view sees it. */
export interface ConnectionPort {
  readonly known: OutboundPort;
  readonly service: MeshService;
  /** The id of its listener, which those of its chains begin with. */
  readonly id: string;
}

/**
 * The filter chains of such a port: one for each `tls` rule by the names that are asked for, where the port carries TLS,
 * and one for all other connections, by the first `tcp` rule that applies, or to the service itself. Rules for certain
 * addresses (`destinationSubnets`) never apply: a connection to a local port has no address of the service.
 * Source: Istio `pilot/pkg/networking/core/tls.go`, buildSidecarOutboundTCPTLSFilterChainOpts.
 */
export function buildConnectionChains(port: ConnectionPort, place: OutboundPlace): readonly FilterChain[] {
  const rules = port.known.virtualServices.filter((virtualService) => isFor(virtualService, port.service));
  const isTls = port.service.ports.some(({ number, protocol }) => number === port.known.port && protocol === "tls");
  const chains: FilterChain[] = [];
  const taken = new Set<string>();
  for (const { names, route } of isTls ? namedRoutes(rules, port, place) : []) {
    const serverNames = names.filter((name) => !taken.has(name));
    if (serverNames.length === 0) continue;
    for (const name of serverNames) taken.add(name);
    chains.push(chainOf(`${port.id}/${serverNames.join(",")}`, serverNames, route));
  }
  const route = plainRoute(rules, port, place) ?? defaultRoute(port, place);
  return [...chains, chainOf(port.id, [], route)];
}

function chainOf(id: string, serverNames: readonly string[], route: TcpRoute): FilterChain {
  return { id, servers: [], serverNames, tls: undefined, serves: { kind: "tcp", route } };
}

function isFor({ metadata, spec }: VirtualServiceManifest, { host }: MeshService): boolean {
  return spec.hosts.some((written) => coversHost(resolveHost(written, metadata.namespace), host));
}

interface NamedRoute {
  /** Lower case. */
  readonly names: readonly string[];
  readonly route: TcpRoute;
}

function namedRoutes(
  rules: readonly VirtualServiceManifest[],
  port: ConnectionPort,
  place: OutboundPlace,
): readonly NamedRoute[] {
  return rules.flatMap((virtualService) =>
    virtualService.spec.tls.flatMap((source, rule) =>
      source.match.flatMap((entry, match) => {
        if (!applies(entry, { virtualService, port, view: place.view })) return [];
        const where = { place: { port: port.known.port, destinations: place.destinations }, virtualService };
        const route = accept(buildConnections({ ...where, kind: "tls", rule, match, source }), place);
        return route === undefined ? [] : [{ names: entry.sniHosts.map((host) => host.toLowerCase()), route }];
      }),
    ),
  );
}

function plainRoute(
  rules: readonly VirtualServiceManifest[],
  port: ConnectionPort,
  place: OutboundPlace,
): TcpRoute | undefined {
  for (const virtualService of rules) {
    for (const [rule, source] of virtualService.spec.tcp.entries()) {
      const { match } = source;
      if (match.length > 0 && !match.some((entry) => applies(entry, { virtualService, port, view: place.view })))
        continue;
      const where = { place: { port: port.known.port, destinations: place.destinations }, virtualService };
      return accept(buildConnections({ ...where, kind: "tcp", rule, match: undefined, source }), place);
    }
  }
  return undefined;
}

function accept(result: TcpResult, { findings }: OutboundPlace): TcpRoute | undefined {
  switch (result.kind) {
    case "route":
      return result.route;
    case "refused":
      reportRefusedTcp(findings, result);
      return undefined;
    case "none":
      return undefined;
  }
}

interface MatchPlace {
  readonly virtualService: VirtualServiceManifest;
  readonly port: ConnectionPort;
  readonly view: OutboundView;
}

/** Source: Istio `pilot/pkg/networking/core/tls.go`, matchTLS and matchTCP. */
function applies(
  { port, gateways, sourceLabels, sourceNamespace = "", destinationSubnets }: ConnectionMatch,
  { virtualService, port: { known }, view }: MatchPlace,
): boolean {
  const isPort = port === undefined || port === 0 || port === known.port;
  const isForMesh =
    gateways.length === 0 ||
    gateways.some((gateway) => resolveGatewayName(gateway, virtualService.metadata.namespace) === undefined);
  const isSource =
    isSubset(sourceLabels, view.labels) && (sourceNamespace === "" || sourceNamespace === view.namespace);
  return isPort && isForMesh && isSource && destinationSubnets.length === 0;
}

function defaultRoute({ known, service }: ConnectionPort, { destinations }: OutboundPlace): TcpRoute {
  const host = destinations.aliasOf(service.host) ?? service.host;
  const destination = destinations.resolve({ host, subset: undefined, port: known.port });
  return {
    origin: { virtualService: "", rule: 0, match: undefined, at: service.origin.at },
    split: {
      id: destination,
      arms: [{ destination, weight: 100, isDeclared: true, requestHeaders: noMutation, responseHeaders: noMutation }],
    },
  };
}
