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
