import type { HostName, Mesh, MeshService } from "./mesh.ts";

const clusterSuffix = ".svc.cluster.local";

/**
 * The service that a workload of `namespace` means by a host, as the search list of its resolver finds it: `name`,
 * `name.namespace`, `name.namespace.svc` or the full name. Source: Kubernetes, "DNS for Services and Pods".
 */
export function resolveCallerHost(
  mesh: Pick<Mesh, "services">,
  host: HostName,
  namespace: string,
): MeshService | undefined {
  const name = host.toLowerCase().replace(/\.$/, "");
  const candidates = [name, `${name}.${namespace}${clusterSuffix}`, `${name}${clusterSuffix}`, `${name}.cluster.local`];
  for (const candidate of candidates) {
    const service = mesh.services.get(candidate);
    if (service !== undefined) return service;
  }
  return undefined;
}
