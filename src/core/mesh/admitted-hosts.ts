import { coversHost, isWildcard, wildcardsAbove } from "../manifest/host-pattern.ts";
import type { GatewayManifest } from "../manifest/manifest.ts";

/** The hosts that a Gateway admits, asked for thousands of VirtualServices without comparing each pair. */
export class AdmittedHosts {
  /** Host to the namespaces that may use it; `*` is every namespace. */
  readonly #namespaces = new Map<string, Set<string>>();

  constructor(gateway: GatewayManifest) {
    for (const text of writtenHosts(gateway)) {
      const slash = text.indexOf("/");
      const written = slash === -1 ? "*" : text.slice(0, slash);
      const namespace = written === "." ? gateway.metadata.namespace : written;
      const host = text.slice(slash + 1).toLowerCase();
      const namespaces = this.#namespaces.get(host) ?? new Set();
      this.#namespaces.set(host, namespaces.add(namespace));
    }
  }

  /** True when some name belongs to the host and to one that the Gateway opens to the namespace. */
  admits(host: string, namespace: string): boolean {
    const isOpen = (candidate: string): boolean => {
      const namespaces = this.#namespaces.get(candidate);
      return namespaces !== undefined && (namespaces.has("*") || namespaces.has(namespace));
    };
    if ([host, ...wildcardsAbove(host)].some(isOpen)) {
      return true;
    }
    const below = isWildcard(host) ? [...this.#namespaces.keys()] : [];
    return below.some((candidate) => coversHost(host, candidate) && isOpen(candidate));
  }
}

/** As written, of servers of every protocol. */
export function writtenHosts(gateway: GatewayManifest): readonly string[] {
  return gateway.spec.servers.flatMap((server) => server.hosts);
}
