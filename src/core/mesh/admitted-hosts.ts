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
    return this.#isOpenAbove(host, namespace) || this.#below(host, namespace).length > 0;
  }

  /** What is served of a host: the more specific of it and of each host that the Gateway opens to the namespace. */
  servedOf(host: string, namespace: string): ReadonlySet<string> {
    const below = this.#below(host, namespace);
    return new Set(this.#isOpenAbove(host, namespace) ? [host, ...below] : below);
  }

  #isOpenAbove(host: string, namespace: string): boolean {
    return [host, ...wildcardsAbove(host)].some((candidate) => this.#isOpen(candidate, namespace));
  }

  #below(host: string, namespace: string): readonly string[] {
    const candidates = isWildcard(host) ? [...this.#namespaces.keys()] : [];
    return candidates.filter((candidate) => coversHost(host, candidate) && this.#isOpen(candidate, namespace));
  }

  #isOpen(candidate: string, namespace: string): boolean {
    const namespaces = this.#namespaces.get(candidate);
    return namespaces !== undefined && (namespaces.has("*") || namespaces.has(namespace));
  }
}

/** As written, of servers of every protocol. */
export function writtenHosts(gateway: GatewayManifest): readonly string[] {
  return gateway.spec.servers.flatMap((server) => server.hosts);
}
