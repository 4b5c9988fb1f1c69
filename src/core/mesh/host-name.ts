import type { HostName } from "./mesh.ts";

/** The namespace whose rules count for everybody, and where gateway workloads live unless something says otherwise. */
export const rootNamespace = "istio-system";

/**
 * The full name that a host in a manifest stands for. A name without a dot is a Service of the manifest's own
 * namespace; anything with a dot, an IPv6 address and `*` are taken as they are, so `app.ns` is not expanded.
 * Source: Istio `pilot/pkg/model/config.go`, ResolveShortnameToFQDN.
 */
export function resolveHost(host: string, namespace: string): HostName {
  const name = host.toLowerCase();
  if (name === "" || name.includes(".") || name.includes(":") || name.startsWith("*")) {
    return name;
  }
  return `${name}.${namespace}.svc.cluster.local`;
}

/** True for `*` and `*.suffix` (and `*suffix`, which Istio accepts in places). */
export function isWildcard(host: string): boolean {
  return host.startsWith("*");
}

/** True when every name that `inner` stands for is one that `outer` stands for; `*.a` does not take `a` itself. */
export function coversHost(outer: string, inner: string): boolean {
  if (!isWildcard(outer)) {
    return outer === inner;
  }
  if (isWildcard(inner)) {
    return inner.length >= outer.length && inner.endsWith(outer.slice(1));
  }
  return inner.length >= outer.length && inner.endsWith(outer.slice(1));
}

/** True when some name belongs to both hosts. */
export function hostsOverlap(left: string, right: string): boolean {
  return coversHost(left, right) || coversHost(right, left);
}

/** The more specific of two hosts that overlap, or undefined when no name belongs to both. */
export function intersectHosts(left: string, right: string): string | undefined {
  if (coversHost(left, right)) {
    return right;
  }
  return coversHost(right, left) ? left : undefined;
}
