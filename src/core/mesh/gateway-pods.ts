import type { GatewayManifest } from "../manifest/manifest.ts";
import { rootNamespace } from "./host-name.ts";
import type { Mesh } from "./mesh.ts";
import { type InstalledGateway, installedGateways, isSelected, listPods, PodIndex, type PodSubject } from "./pods.ts";

/** The pods that play Gateways: those of the manifests, and those that Istio's installation brings. */
export class GatewayPods {
  readonly #index: PodIndex;
  readonly #installed: readonly InstalledGateway[] = installedGateways(rootNamespace);
  readonly #found = new Map<string, readonly PodSubject[]>();

  constructor(mesh: Pick<Mesh, "manifests">) {
    this.#index = new PodIndex(listPods(mesh));
  }

  /** Pods of any namespace that a Gateway selects, those of the manifests first. */
  find(gateway: GatewayManifest): readonly PodSubject[] {
    const { selector } = gateway.spec;
    const key = selectorKey(selector);
    const known = this.#found.get(key);
    if (known !== undefined) {
      return known;
    }
    const pods = [...this.#index.findAnywhere(selector), ...this.installedFor(gateway).map(({ pod }) => pod)];
    this.#found.set(key, pods);
    return pods;
  }

  /** What Istio's installation brings for a Gateway; nothing where the selector asks for other labels. */
  installedFor(gateway: GatewayManifest): readonly InstalledGateway[] {
    return this.#installed.filter(({ pod }) => isSelected(gateway.spec.selector, pod.labels));
  }

  /** Where the pods of a Gateway live: the namespaces from which its requests are sent on. */
  namespacesOf(gateway: GatewayManifest): readonly string[] {
    const written = this.#index.findAnywhere(gateway.spec.selector);
    const isForAll = Object.keys(gateway.spec.selector).length === 0;
    const pods =
      written.length > 0 && !isForAll
        ? written
        : this.installedFor(gateway)
            .slice(0, 1)
            .map(({ pod }) => pod);
    return pods.length === 0 ? [rootNamespace] : [...new Set(pods.map(({ namespace }) => namespace))];
  }
}

/** A selector as text, the same for the same labels in any order. */
export function selectorKey(selector: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(selector).toSorted(([left], [right]) => (left < right ? -1 : 1));
  return pairs.map(([name, value]) => `${name}=${value}`).join(",");
}
