import type { HostName } from "./mesh.ts";

/** The namespace whose rules count for everybody, and where gateway workloads live unless something says otherwise. */
export const rootNamespace = "istio-system";

/**
 * The full name that a host in a manifest stands for. A name without a dot is a Service of the manifest's own
 * namespace; anything with a dot, an IPv6 address and `*` are taken as they are, so `app.ns` is not expanded.
 * Source: Istio `pilot/pkg/model/config.go`, ResolveShortnameToFQDN.
 */
export function resolveHost(host: string, namespace: string): HostName {
  return resolveLettered(host.toLowerCase(), namespace);
}

/**
 * As `resolveHost`, with the capitals in the name of a Kubernetes Service, where they are wrong: Istio compares
 * destinations with services letter by letter, so that such a destination does not exist.
 */
export function resolveDestinationHost(host: string, namespace: string): HostName {
  const written = resolveLettered(host, namespace);
  return written.endsWith(".svc.cluster.local") ? written : written.toLowerCase();
}

function resolveLettered(name: string, namespace: string): HostName {
  if (name === "" || name.includes(".") || name.includes(":") || name.startsWith("*")) {
    return name;
  }
  return `${name}.${namespace}.svc.cluster.local`;
}
