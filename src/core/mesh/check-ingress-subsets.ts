import { diagnostic, type Diagnostic } from "../diagnostics/diagnostic.ts";
import { type ObjectName, objectName, resourceName, type VirtualServiceManifest } from "../manifest/manifest.ts";
import type { Destination, HttpRoute } from "../manifest/virtual-service.ts";
import { isForMesh } from "./check-mesh-hosts.ts";
import { resolveHost } from "./host-name.ts";
import type { HostName, Mesh } from "./mesh.ts";

/**
 * Gateway rules that send to a host without a subset, although a mesh VirtualService splits that host by subsets
 * (IST0140): the split counts for callers inside the mesh alone. Unlike istioctl this compares full host names, and
 * leaves out what one VirtualService says about itself, as in the two steps of an egress gateway.
 * Source: Istio `pkg/config/analysis/analyzers/virtualservice/destinationhosts.go`.
 */
export function checkIngressSubsets(mesh: Pick<Mesh, "virtualServices">): readonly Diagnostic[] {
  const splitting = collectSplits(mesh.virtualServices);
  return mesh.virtualServices.flatMap((service) => {
    const found = service.spec.http
      .filter((rule) => isForGateway(service, rule))
      .flatMap((rule) => destinationsOf(rule).filter(({ subset }) => subset === undefined))
      .flatMap((destination) => {
        const host = resolveHost(destination.host, service.metadata.namespace);
        const other = (splitting.get(host) ?? []).find((candidate) => candidate !== service);
        return other === undefined ? [] : [{ destination, host, other }];
      });
    // Two rules that send to one host are one mistake.
    const byHost = new Map(found.toReversed().map((entry) => [entry.host, entry] as const));
    return [...byHost.values()].toReversed().map((entry) => reportBypass(service, entry));
  });
}

/** VirtualServices of the mesh that send requests for one of their own hosts to a subset of it. */
function collectSplits(services: readonly VirtualServiceManifest[]): ReadonlyMap<HostName, VirtualServiceManifest[]> {
  const splits = new Map<HostName, VirtualServiceManifest[]>();
  for (const service of services.filter(isForMesh)) {
    const { namespace } = service.metadata;
    const own = new Set(service.spec.hosts.map((host) => resolveHost(host, namespace)));
    const split = service.spec.http
      .flatMap(destinationsOf)
      .filter(({ subset }) => subset !== undefined)
      .map(({ host }) => resolveHost(host, namespace));
    for (const host of new Set(split.filter((name) => own.has(name)))) {
      splits.set(host, [...(splits.get(host) ?? []).slice(0, 2), service]);
    }
  }
  return splits;
}

function destinationsOf({ action }: HttpRoute): readonly Destination[] {
  return action.kind === "route" ? action.destinations.map(({ destination }) => destination) : [];
}

/** A rule counts at a gateway unless all of its matches are for the mesh. */
function isForGateway({ spec }: VirtualServiceManifest, rule: HttpRoute): boolean {
  const isBound = spec.gateways.some((name) => name !== "mesh");
  const isForMeshOnly =
    rule.match.length > 0 &&
    rule.match.every(({ gateways }) => gateways.length > 0 && gateways.every((name) => name === "mesh"));
  return isBound && !isForMeshOnly;
}

function reportBypass(
  service: VirtualServiceManifest,
  { destination, host, other }: { destination: Destination; host: HostName; other: VirtualServiceManifest },
): Diagnostic {
  const name: ObjectName = objectName(other);
  return diagnostic("KIR1217", {
    message: `Requests from the gateway go to every version of "${host}": the subsets that VirtualService ${name} chooses count for callers inside the mesh only.`,
    hint: "Repeat the subset rules here, or let one VirtualService with both gateways hold them.",
    resource: resourceName(service),
    at: destination.at,
  });
}
