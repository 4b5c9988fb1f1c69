import { isWildcard } from "../manifest/host-pattern.ts";
import type { VirtualServiceManifest } from "../manifest/manifest.ts";
import { resolveHost } from "../mesh/host-name.ts";

/** Where more VirtualServices than this share hosts, building all anew is no worse. */
const maxNeighbours = 200;

/**
 * Which VirtualServices can have a part in one virtual host: those that name the same host, and those with wildcards.
 * Made of what binds them, and so good for as long as rules alone change.
 */
export class RuleNeighbours {
  readonly #byHost = new Map<string, number[]>();
  readonly #wildcards: number[] = [];

  constructor(virtualServices: readonly VirtualServiceManifest[]) {
    for (const [position, virtualService] of virtualServices.entries()) {
      for (const host of hostsOf(virtualService)) {
        if (isWildcard(host)) this.#wildcards.push(position);
        else this.#byHost.set(host, [...(this.#byHost.get(host) ?? []), position]);
      }
    }
  }

  /** Positions in the list, in its order; undefined for too many, or where a wildcard makes it unclear. */
  of(virtualServices: Iterable<VirtualServiceManifest>): readonly number[] | undefined {
    const found = new Set(this.#wildcards);
    for (const host of [...virtualServices].flatMap(hostsOf)) {
      if (isWildcard(host)) return undefined;
      for (const position of this.#byHost.get(host) ?? []) found.add(position);
      if (found.size > maxNeighbours) return undefined;
    }
    return [...found].toSorted((one, other) => one - other);
  }
}

/** In full and in lower case, as the domains of virtual hosts are. */
export function hostsOf({ metadata, spec }: VirtualServiceManifest): readonly string[] {
  return spec.hosts.map((host) => resolveHost(host, metadata.namespace));
}
