import type { VirtualServiceManifest } from "../manifest/manifest.ts";
import { resolveHost } from "../mesh/host-name.ts";
import type { HostName, Mesh, MeshPort, MeshService } from "../mesh/mesh.ts";
import { egressScope, meshConfigOf } from "../mesh/sidecar-scope.ts";
import type { OutboundView } from "./outbound-view.ts";
import { indexByGateway } from "./virtual-service-binding.ts";

/** What one view knows of one port of the mesh. */
export interface OutboundPort {
  readonly port: number;
  /** Those with HTTP on the port. */
  readonly services: ReadonlyMap<HostName, MeshService>;
  /** By host: the hosts of ExternalName Services that stand for it. */
  readonly aliases: ReadonlyMap<HostName, readonly HostName[]>;
  /** Those that are bound to the mesh, in the order in which they claim hosts. */
  readonly virtualServices: readonly VirtualServiceManifest[];
  /** Those that carry connections on the port, plain or as TLS. */
  readonly connectionServices: readonly MeshService[];
}

/** Rules for hosts that no service stands for count on this port alone. Source: Istio `route.go`, "gross HACK". */
export const portOfBareHosts = 80;

/**
 * What a view knows of the ports of the mesh: services that are exported to its namespace and in the scope of its
 * Sidecar. Source: Istio `pilot/pkg/model/sidecar.go` and `push_context.go` (servicesExportedToNamespace).
 */
export function findOutboundPorts(mesh: Mesh, view: OutboundView): readonly OutboundPort[] {
  const services = findExportedServices(mesh, view.namespace);
  const viewer = { namespace: view.namespace, byDefault: meshConfigOf(mesh).defaultVirtualServiceExportTo };
  const virtualServices = indexByGateway(mesh.virtualServices, viewer).get("mesh") ?? [];
  const standIns = services.filter(({ aliasOf }) => aliasOf !== undefined);
  const ports = new Set([portOfBareHosts]);
  for (const service of services) for (const port of service.ports) ports.add(port.number);
  return [...ports]
    .toSorted((left, right) => left - right)
    .map((port) => {
      const scope = egressScope(view.sidecar, view.namespace, port);
      const known = services.filter(
        (service) =>
          service.ports.some(({ number }) => number === port) && scope.knowsService(service.host, service.namespace),
      );
      return {
        port,
        services: new Map(
          known.filter((service) => speaks(service, port, isHttp)).map((service) => [service.host, service]),
        ),
        aliases: groupAliases(standIns, ({ host, namespace }) => scope.knowsService(host, namespace)),
        connectionServices: known.filter((service) => speaks(service, port, isConnections)),
        virtualServices: virtualServices.filter(({ metadata: { namespace }, spec }) =>
          scope.knowsRules(
            spec.hosts.map((host) => resolveHost(host, namespace)),
            namespace,
          ),
        ),
      };
    });
}

/**
 * Hosts that stand for others, by the host that is meant in the end; one that leads back to itself stands for none.
 * Source: Istio `pilot/pkg/model/push_context.go`, resolveServiceAliases.
 */
function groupAliases(
  standIns: readonly MeshService[],
  isKnown: (service: MeshService) => boolean,
): ReadonlyMap<HostName, readonly HostName[]> {
  const meant = new Map(standIns.map(({ host, aliasOf }) => [host, aliasOf ?? host] as const));
  const found = new Map<HostName, HostName[]>();
  for (const service of standIns) {
    const end = isKnown(service) ? endOf(service.host, meant) : undefined;
    if (end !== undefined) found.set(end, [...(found.get(end) ?? []), service.host]);
  }
  return found;
}

function endOf(host: HostName, meant: ReadonlyMap<HostName, HostName>): HostName | undefined {
  const seen = new Set([host]);
  for (let next = meant.get(host); next !== undefined; next = meant.get(next)) {
    if (!meant.has(next)) return next;
    if (seen.has(next)) return undefined;
    seen.add(next);
  }
  return undefined;
}

/** The services that a namespace may see, in the order of the mesh; of several for one host the first that it sees. */
function findExportedServices(mesh: Mesh, namespace: string): readonly MeshService[] {
  const isSeen = ({ exportedTo }: MeshService): boolean => exportedTo.includes("*") || exportedTo.includes(namespace);
  return [...mesh.services.values()].flatMap((service) => [service, ...(service.others ?? [])].find(isSeen) ?? []);
}

function speaks(service: MeshService, port: number, isMeant: (port: MeshPort) => boolean): boolean {
  return service.ports.some((candidate) => candidate.number === port && isMeant(candidate));
}

function isHttp({ protocol }: MeshPort): boolean {
  return protocol === "http" || protocol === "http2";
}

function isConnections({ protocol }: MeshPort): boolean {
  return protocol === "tcp" || protocol === "tls";
}
