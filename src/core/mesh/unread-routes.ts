import { intersectHosts } from "../manifest/host-pattern.ts";
import {
  type GatewayApiRouteManifest,
  isNamed,
  type Manifest,
  objectName,
  resourceName,
} from "../manifest/manifest.ts";
import type { RouteParent } from "../manifest/gateway-api-route.ts";
import { resolveHost } from "./host-name.ts";
import type { HostName } from "./mesh.ts";

/** A route of the Kubernetes Gateway API. What it does with requests is not read. */
export interface UnreadRoute {
  readonly manifest: GatewayApiRouteManifest;
  /** For whose requests it may be; `*` where it leaves that to a Gateway that is not known. */
  readonly hosts: readonly HostName[];
}

/** The routes that requests may take although no rule that is read says so. */
export function findUnreadRoutes({ manifests }: { readonly manifests: readonly Manifest[] }): readonly UnreadRoute[] {
  return manifests.flatMap((manifest) =>
    isRoute(manifest) ? [{ manifest, hosts: hostsOf(manifest, manifests) }] : [],
  );
}

function isRoute(manifest: Manifest): manifest is GatewayApiRouteManifest {
  return manifest.kind === "HTTPRoute" || manifest.kind === "GRPCRoute";
}

/** Those that may be for requests for a host, or for one of the hosts of a wildcard. */
export function findUnreadFor(routes: readonly UnreadRoute[], host: HostName): readonly UnreadRoute[] {
  return routes.filter(({ hosts }) => hosts.some((each) => intersectHosts(each, host) !== undefined));
}

/** `HTTPRoute shop/web (web.example.com)`. */
export function describeUnread({ manifest, hosts }: UnreadRoute): string {
  const shown = hosts.includes("*") ? "hosts of its Gateway" : hosts.join(", ");
  return `${resourceName(manifest)} (${shown})`;
}

function hostsOf({ spec }: GatewayApiRouteManifest, manifests: readonly Manifest[]): readonly HostName[] {
  return [...new Set(spec.parents.flatMap((parent) => hostsAt(parent, spec.hosts, manifests)))];
}

/**
 * At a Gateway the hosts that the route names, or else those of the Gateway; a service has its own name.
 * Source: Istio `pilot/pkg/config/kube/gateway/conversion.go`, which takes parents of the kinds Service, ServiceEntry and
 * Hostname for callers inside the mesh.
 */
function hostsAt(
  { kind, namespace, name }: RouteParent,
  hosts: readonly string[],
  manifests: readonly Manifest[],
): readonly HostName[] {
  const wanted = `${namespace}/${name}`;
  switch (kind) {
    case "Service":
      return [resolveHost(name, namespace)];
    case "Hostname":
      return [name.toLowerCase()];
    case "ServiceEntry":
      return manifests.flatMap((each) => (each.kind === kind && objectName(each) === wanted ? each.spec.hosts : []));
    default: {
      if (hosts.length > 0) return hosts;
      const gateway = manifests.find((each) => each.kind === "KubernetesGateway" && isNamed(each, wanted));
      const own = gateway?.kind === "KubernetesGateway" ? gateway.spec.hosts : [];
      return own.length > 0 ? own : ["*"];
    }
  }
}
