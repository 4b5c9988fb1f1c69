import type { HostName, MeshService } from "../mesh/mesh.ts";
import { portOfBareHosts } from "./outbound-services.ts";

/**
 * The names by which a workload of `namespace` can ask for a port of a service, the full one first: those of hosts that
 * stand for it (ExternalName), names of single pods where it has such, and its addresses.
 * Source: Istio `pilot/pkg/networking/core/httproute.go`, generateVirtualHostDomains.
 */
export function namesOfService(
  service: MeshService,
  { namespace, aliases }: { readonly namespace: string; readonly aliases: readonly HostName[] },
): readonly HostName[] {
  const names = [service.host, ...aliases].flatMap((host) => formsOf(host, namespace));
  const pods = service.hasPodNames === true ? names.map((name) => `*.${name}`) : [];
  const addresses = (service.addresses ?? []).map((address) => (address.includes(":") ? `[${address}]` : address));
  return [...names, ...pods, ...addresses];
}

const suffix = ".svc.cluster.local";

/**
 * A host in full, as DNS writes it, and of Kubernetes' hosts the shorter forms, the shortest of them at home only.
 * Source: Istio `httproute.go`, GenerateAltVirtualHosts.
 */
function formsOf(host: HostName, namespace: string): readonly HostName[] {
  if (!host.endsWith(suffix)) return [host, `${host}.`];
  const qualified = host.slice(0, -suffix.length);
  const dot = qualified.indexOf(".");
  if (dot === -1) return [host, `${host}.`];
  const short = qualified.slice(dot + 1) === namespace ? [qualified.slice(0, dot)] : [];
  return [host, `${host}.`, ...short, qualified, `${qualified}.svc`];
}

/** What a client may put into the Host header for these names on a port: on port 80 it may leave the port out. */
export function authoritiesOf(names: readonly HostName[], port: number): readonly string[] {
  const withPort = names.map((name) => `${name}:${port}`);
  return port === portOfBareHosts ? [...names, ...withPort] : withPort;
}
