import { coversHost, isWildcard } from "../manifest/host-pattern.ts";
import type { VirtualServiceManifest } from "../manifest/manifest.ts";
import { resolveHost } from "../mesh/host-name.ts";
import type { HostName, MeshService } from "../mesh/mesh.ts";
import type { OutboundPort } from "./outbound-services.ts";
import { portOfBareHosts } from "./outbound-services.ts";

/** What the rules of one VirtualService are for on one port. */
export interface OwnedHosts {
  readonly virtualService: VirtualServiceManifest;
  readonly services: readonly MeshService[];
  /** Names that no service stands for; wildcards that no service is covered by. */
  readonly hosts: readonly HostName[];
}

/**
 * Which VirtualService claims which hosts of a port, in the order in which they claim. A service belongs to those that
 * name it, and of the wildcards that cover it to the VirtualService with the most specific alone. Source: Istio
 * `pilot/pkg/networking/core/route/route.go` (separateVSHostsAndServices, buildSidecarVirtualHostsForVirtualService),
 * `pilot/pkg/model/sidecar.go` (computeWildcardHostVirtualServiceIndex).
 */
export function findOwnedHosts({ port, services, virtualServices }: OutboundPort): readonly OwnedHosts[] {
  const patterns = indexHosts(virtualServices);
  return virtualServices.flatMap((virtualService) => {
    const owned: MeshService[] = [];
    const bare: HostName[] = [];
    for (const host of hostsOf(virtualService)) {
      const service = services.get(host);
      if (service !== undefined) owned.push(service);
      else if (!isWildcard(host)) bare.push(host);
      else {
        const covered = [...services.values()].filter((candidate) => coversHost(host, candidate.host));
        owned.push(...covered.filter((candidate) => mostSpecific(patterns, candidate.host) === virtualService));
        if (covered.length === 0) bare.push(host);
      }
    }
    if (owned.length === 0 && (bare.length === 0 || port !== portOfBareHosts)) return [];
    return [{ virtualService, services: [...new Set(owned)], hosts: bare }];
  });
}

/** The first VirtualService of each host; wildcards from most to least specific. */
interface HostIndex {
  readonly exact: ReadonlyMap<HostName, VirtualServiceManifest>;
  readonly wildcards: readonly (readonly [host: HostName, virtualService: VirtualServiceManifest])[];
}

function indexHosts(virtualServices: readonly VirtualServiceManifest[]): HostIndex {
  const first = new Map<HostName, VirtualServiceManifest>();
  for (const virtualService of virtualServices) {
    for (const host of hostsOf(virtualService)) if (!first.has(host)) first.set(host, virtualService);
  }
  return {
    exact: first,
    wildcards: [...first]
      .filter(([host]) => isWildcard(host))
      .toSorted(([left], [right]) => right.length - left.length || (left < right ? -1 : 1)),
  };
}

function mostSpecific({ exact, wildcards }: HostIndex, host: HostName): VirtualServiceManifest | undefined {
  return exact.get(host) ?? wildcards.find(([pattern]) => coversHost(pattern, host))?.[1];
}

function hostsOf({ metadata, spec }: VirtualServiceManifest): readonly HostName[] {
  return spec.hosts.map((host) => resolveHost(host, metadata.namespace));
}
