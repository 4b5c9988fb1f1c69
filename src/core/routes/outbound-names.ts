import type { HostName, MeshService } from "../mesh/mesh.ts";
import { portOfBareHosts } from "./outbound-services.ts";

/**
 * The names by which a workload of `namespace` can ask for a port of a service, the full one first: a Service of
 * Kubernetes has shorter forms too, the shortest of them at home only.
 * Source: Istio `pilot/pkg/networking/core/httproute.go`, generateVirtualHostDomains and GenerateAltVirtualHosts.
 */
export function namesOfService(service: MeshService, namespace: string): readonly HostName[] {
  const suffix = ".svc.cluster.local";
  if (service.origin.kind !== "Service" || !service.host.endsWith(suffix)) return [service.host];
  const qualified = service.host.slice(0, -suffix.length);
  const name = qualified.slice(0, qualified.indexOf("."));
  const short = service.namespace === namespace ? [name] : [];
  return [service.host, ...short, qualified, `${qualified}.svc`];
}

/** What a client may put into the Host header for these names on a port: on port 80 it may leave the port out. */
export function authoritiesOf(names: readonly HostName[], port: number): readonly string[] {
  const withPort = names.map((name) => `${name}:${port}`);
  return port === portOfBareHosts ? [...names, ...withPort] : withPort;
}
