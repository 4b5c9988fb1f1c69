import { coversHost, isWildcard } from "../manifest/host-pattern.ts";
import type { GatewayManifest, VirtualServiceManifest } from "../manifest/manifest.ts";
import { resolveHost } from "../mesh/host-name.ts";

/** Where more VirtualServices than this share hosts, building all anew is no worse. */
const maxNeighbours = 200;

/**
 * Which VirtualServices can have a part in one virtual host: those that name the same host, and those whose wildcard
 * meets a host that a Gateway names, because the virtual host is of the more specific of the two. Made of what binds
 * them, and so good for as long as rules alone change.
 */
export class RuleNeighbours {
  readonly #admitted: readonly string[];
  readonly #byDomain = new Map<string, number[]>();

  constructor(virtualServices: readonly VirtualServiceManifest[], gateways: readonly GatewayManifest[]) {
    this.#admitted = admittedHosts(gateways);
    for (const [position, virtualService] of virtualServices.entries()) {
      for (const domain of this.domainsOf(virtualService)) {
        const known = this.#byDomain.get(domain);
        if (known === undefined) this.#byDomain.set(domain, [position]);
        else known.push(position);
      }
    }
  }

  /** Positions in the list, in its order; undefined for too many. */
  of(virtualServices: Iterable<VirtualServiceManifest>): readonly number[] | undefined {
    const found = new Set<number>();
    for (const domain of [...virtualServices].flatMap((virtualService) => this.domainsOf(virtualService))) {
      for (const position of this.#byDomain.get(domain) ?? []) found.add(position);
      if (found.size > maxNeighbours) return undefined;
    }
    return [...found].toSorted((one, other) => one - other);
  }

  /** The virtual hosts that a VirtualService can have a part in, and maybe more. */
  domainsOf({ metadata, spec }: VirtualServiceManifest): readonly string[] {
    const domains = new Set<string>();
    for (const written of spec.hosts) {
      // In full and in lower case, as the domains of virtual hosts are.
      const host = resolveHost(written, metadata.namespace);
      domains.add(host);
      if (!isWildcard(host)) continue;
      for (const admitted of this.#admitted) if (coversHost(host, admitted)) domains.add(admitted);
    }
    return [...domains];
  }
}

/** Without the namespaces that some of them begin with. */
function admittedHosts(gateways: readonly GatewayManifest[]): readonly string[] {
  const hosts = gateways.flatMap(({ spec }) => spec.servers.flatMap((server) => server.hosts));
  return [...new Set(hosts.map((host) => host.slice(host.indexOf("/") + 1).toLowerCase()))];
}
