import type { HttpRetry } from "../manifest/virtual-service.ts";
import type { HostName, MeshService } from "../mesh/mesh.ts";
import { buildRetry } from "./build-retry.ts";
import { buildRoutes, type Findings, type RoutePlace } from "./build-routes.ts";
import { noMutation } from "./header-mutation.ts";
import { authoritiesOf, namesOfService } from "./outbound-names.ts";
import { findOwnedHosts } from "./outbound-owners.ts";
import type { OutboundPort } from "./outbound-services.ts";
import type { OutboundView } from "./outbound-view.ts";
import { matchAll } from "./route-match.ts";
import type { Route, VirtualHost } from "./route-table.ts";

export interface OutboundPlace {
  readonly view: OutboundView;
  readonly destinations: RoutePlace["destinations"];
  readonly findings: Findings;
  /** What the mesh retries where a rule says nothing; undefined is Istio's own default. */
  readonly defaultRetries: HttpRetry | undefined;
}

/**
 * The virtual hosts of one HTTP port as a view sees them. The first VirtualService that claims a host has it whole, there
 * is no merge; a service that none claims, or whose rules do not apply to this caller, has its default route.
 * Source: Istio `pilot/pkg/networking/core/httproute.go`, BuildSidecarOutboundVirtualHosts.
 */
export function buildOutboundHosts(known: OutboundPort, place: OutboundPlace): readonly VirtualHost[] {
  const { view, destinations, findings, defaultRetries } = place;
  const draft = new HostDraft(known);
  // A listener knows services by the one port that it is for, so a destination that names no port has that one, even
  // where its service has another only port. Source: Istio `httproute.go`, servicesByName.
  const ofListener = { ...destinations, inferPort: (_host: HostName, listenerPort: number) => listenerPort };
  const unclaimed = new Map(known.services);
  for (const { virtualService, services, hosts } of findOwnedHosts(known)) {
    const { namespace, labels } = view;
    const routes = buildRoutes(
      virtualService,
      {
        client: { kind: "sidecar", namespace, labels },
        port: known.port,
        gateway: "mesh",
        destinations: ofListener,
        defaultRetries,
      },
      findings,
    );
    if (routes.length === 0) continue;
    for (const host of hosts) draft.add([host], routes);
    for (const service of services) {
      draft.add(namesOf(service, known, namespace), routes);
      unclaimed.delete(service.host);
    }
  }
  for (const service of unclaimed.values()) {
    // A host that stands for another is one of the names of that one.
    if (service.aliasOf !== undefined) continue;
    draft.add(namesOf(service, known, view.namespace), [buildDefaultRoute(service, known.port, place)]);
  }
  return draft.hosts;
}

function namesOf(service: MeshService, { aliases }: OutboundPort, namespace: string): readonly HostName[] {
  return namesOfService(service, { namespace, aliases: aliases.get(service.host) ?? [] });
}

/** What a proxy does with requests for a service that nobody wrote rules for. */
function buildDefaultRoute(
  service: MeshService,
  port: number,
  { destinations, defaultRetries }: Pick<OutboundPlace, "destinations" | "defaultRetries">,
): Route {
  const ref = { host: service.host, subset: undefined, port };
  const destination = destinations.resolve(ref);
  return {
    origin: { virtualService: "", rule: 0, match: undefined, at: service.origin.at },
    name: "default",
    match: matchAll,
    action: {
      kind: "forward",
      split: {
        id: destination,
        arms: [{ destination, weight: 100, isDeclared: true, requestHeaders: noMutation, responseHeaders: noMutation }],
      },
      pathRewrite: undefined,
      hostRewrite: undefined,
      timeoutMs: 0,
      // Another endpoint is looked for even where a hash chooses. Source: Istio `route.go`, BuildDefaultHTTPOutboundRoute.
      retry: buildRetry(defaultRetries, false),
      mirrors: [],
      requestHeaders: noMutation,
      responseHeaders: noMutation,
    },
  };
}

/** Virtual hosts in the order in which they were claimed, no name in two of them. */
class HostDraft {
  readonly #port: OutboundPort;
  readonly #taken = new Set<string>();
  readonly hosts: VirtualHost[] = [];

  constructor(port: OutboundPort) {
    this.#port = port;
  }

  /** The first name is the host's own; the others count only where no service is called so. */
  add(names: readonly string[], routes: readonly Route[]): void {
    const { port, services } = this.#port;
    const [own = "", ...others] = names;
    const free = [own, ...others.filter((name) => services.get(name)?.aliasOf !== undefined || !services.has(name))];
    const [domain, ...aliases] = authoritiesOf(free, port).filter((name) => !this.#taken.has(name));
    if (domain === undefined || this.#taken.has(authoritiesOf([own], port)[0] ?? "")) return;
    for (const name of [domain, ...aliases]) this.#taken.add(name);
    this.hosts.push({ domain, aliases, requiresHttps: false, routes });
  }
}
