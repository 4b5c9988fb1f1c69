import { coversHost, isWildcard } from "../manifest/host-pattern.ts";
import { objectName, type VirtualServiceManifest } from "../manifest/manifest.ts";
import { resolveHost } from "../mesh/host-name.ts";
import { buildRoutes, type Findings, type RoutePlace } from "./build-routes.ts";
import type { BoundServer, HostBinding } from "./gateway-servers.ts";
import { isCatchAll } from "./route-match.ts";
import type { Route, VirtualHost } from "./route-table.ts";

export interface VirtualHostSources {
  readonly servers: readonly BoundServer[];
  /** By `namespace/name` of the Gateway, in merge order. */
  readonly virtualServices: ReadonlyMap<string, readonly VirtualServiceManifest[]>;
  readonly place: Omit<RoutePlace, "gateway" | "port">;
  /** Called for each host of a VirtualService that a server of this listener serves. */
  readonly onServed: (virtualService: VirtualServiceManifest, host: string) => void;
}

/**
 * The virtual hosts of one listener: for each server and each VirtualService bound to its Gateway, the more specific
 * of each pair of hosts that overlap. Rules of several VirtualServices for one host form one list, in which every
 * catch-all is moved to the end. Source: Istio `gateway.go`, buildGatewayHTTPRouteConfig; `route.go`, SortVHostRoutes.
 */
export function buildVirtualHosts(sources: VirtualHostSources, findings: Findings): readonly VirtualHost[] {
  const drafts = new Map<string, Draft>();
  const built = new Map<string, readonly Route[]>();
  for (const bound of sources.servers) {
    const bindings = indexBindings(bound.bindings);
    for (const virtualService of sources.virtualServices.get(bound.gateway) ?? []) {
      const domains = intersect(bindings, virtualService, sources.onServed);
      if (domains.length === 0) {
        continue;
      }
      const key = `${bound.gateway} ${objectName(virtualService)}`;
      const routes =
        built.get(key) ??
        buildRoutes(
          virtualService,
          { ...sources.place, gateway: bound.gateway, port: bound.server.port.number },
          findings,
        );
      built.set(key, routes);
      if (routes.length === 0) {
        continue;
      }
      for (const domain of domains) {
        const draft = draftOf(drafts, domain);
        append(draft, objectName(virtualService), routes);
        draft.requiresHttps ||= bound.server.httpsRedirect;
      }
    }
    if (bound.server.httpsRedirect) {
      // Istio looks for a host with its namespace in front here, and so redirects none that has one.
      for (const { host } of bound.bindings.filter(({ namespace }) => namespace === undefined)) {
        draftOf(drafts, host).requiresHttps = true;
      }
    }
  }
  return [...drafts].map(([domain, { requiresHttps, routes }]) => ({
    domain,
    requiresHttps,
    routes: sortCatchAllsLast(routes),
  }));
}

interface Draft {
  requiresHttps: boolean;
  readonly routes: Route[];
  readonly contributors: Set<string>;
}

function draftOf(drafts: Map<string, Draft>, domain: string): Draft {
  const known = drafts.get(domain);
  if (known !== undefined) {
    return known;
  }
  const draft: Draft = { requiresHttps: false, routes: [], contributors: new Set() };
  drafts.set(domain, draft);
  return draft;
}

/** A VirtualService that two servers admit adds each rule once: a repeated rule is never reached. */
function append(draft: Draft, virtualService: string, routes: readonly Route[]): void {
  if (!draft.contributors.has(virtualService)) {
    draft.contributors.add(virtualService);
    draft.routes.push(...routes);
    return;
  }
  for (const route of routes) {
    const isKnown = draft.routes.some(
      ({ origin }) =>
        origin.virtualService === virtualService &&
        origin.rule === route.origin.rule &&
        origin.match === route.origin.match,
    );
    if (!isKnown) {
      draft.routes.push(route);
    }
  }
}

function sortCatchAllsLast(routes: readonly Route[]): readonly Route[] {
  const last = routes.findIndex((route) => isCatchAll(route.match));
  if (last === -1 || last === routes.length - 1) {
    return routes;
  }
  return [...routes.filter((route) => !isCatchAll(route.match)), ...routes.filter((route) => isCatchAll(route.match))];
}

/** Exact hosts by name, so that ten thousand hosts of a server meet ten thousand VirtualServices in linear time. */
interface BindingIndex {
  readonly exact: ReadonlyMap<string, readonly HostBinding[]>;
  readonly wildcard: readonly HostBinding[];
}

function indexBindings(bindings: readonly HostBinding[]): BindingIndex {
  const exact = new Map<string, HostBinding[]>();
  const wildcard: HostBinding[] = [];
  for (const binding of bindings) {
    if (isWildcard(binding.host)) {
      wildcard.push(binding);
    } else {
      const list = exact.get(binding.host);
      if (list === undefined) {
        exact.set(binding.host, [binding]);
      } else {
        list.push(binding);
      }
    }
  }
  return { exact, wildcard };
}

function intersect(
  bindings: BindingIndex,
  virtualService: VirtualServiceManifest,
  onServed: VirtualHostSources["onServed"],
): readonly string[] {
  const { namespace } = virtualService.metadata;
  const admits = (binding: HostBinding) => binding.namespace === undefined || binding.namespace === namespace;
  const domains = new Set<string>();
  for (const written of virtualService.spec.hosts) {
    const host = resolveHost(written, namespace);
    const before = domains.size;
    if (bindings.wildcard.some((binding) => admits(binding) && coversHost(binding.host, host))) {
      domains.add(host);
    } else if (isWildcard(host)) {
      for (const binding of bindings.wildcard) {
        if (admits(binding) && coversHost(host, binding.host)) {
          domains.add(binding.host);
        }
      }
      for (const [name, list] of bindings.exact) {
        if (coversHost(host, name) && list.some(admits)) {
          domains.add(name);
        }
      }
    } else if (bindings.exact.get(host)?.some(admits) === true) {
      domains.add(host);
    }
    if (domains.size > before) {
      onServed(virtualService, host);
    }
  }
  return [...domains];
}
