import type { KubeApi } from "../../../kubernetes/kube-api.ts";
import { KubeError } from "../../../kubernetes/kube-error.ts";
import { kubeKinds } from "../../../kubernetes/kube-kinds.ts";
import type { KubeKind, KubeObject, ObjectName } from "../../../kubernetes/kube-object.ts";
import { type KindChange, KindStore, type StoreTrouble } from "../../../kubernetes/kind-store.ts";
import { besideKinds, meshConfigName, meshKinds } from "./site-kinds.ts";
import type { SiteObjects } from "./site-objects.ts";

export interface WatchSiteOptions {
  readonly api: KubeApi;
  readonly istioNamespace: string;
  /** Undefined watches all that a site is made of. */
  readonly kinds?: readonly KubeKind[] | undefined;
  /** Undefined watches all of them. */
  readonly namespaces?: readonly string[] | undefined;
  readonly onChange: (changes: readonly KindChange[]) => void;
  readonly onTrouble: (trouble: StoreTrouble) => void;
}

/** How often Istio's own ConfigMap is read: a watch of one object would need a right of its own. */
const meshConfigIntervalMs = 60_000;

/**
 * The objects of a site, kept fresh by watches until it is disposed of. Kinds that the API does not serve have no
 * objects.
 */
export class WatchedSite implements SiteObjects, AsyncDisposable {
  readonly #options: WatchSiteOptions;
  readonly #kinds: ReadonlySet<KubeKind>;
  readonly #store: KindStore;
  readonly #timer: NodeJS.Timeout;
  #meshConfig: readonly KubeObject[] = [];

  private constructor(options: WatchSiteOptions, kinds: readonly KubeKind[], store: KindStore) {
    this.#options = options;
    this.#kinds = new Set(kinds);
    this.#store = store;
    this.#timer = setInterval(() => void this.#readMeshConfig(), meshConfigIntervalMs);
    this.#timer.unref();
  }

  /** Resolves when everything has been seen once. Rejects with the KubeError of the first kind that may not be watched. */
  static async start(options: WatchSiteOptions): Promise<WatchedSite> {
    const { api, kinds: all = [...meshKinds, ...besideKinds] } = options;
    const served = await Promise.all(all.map((kind) => api.serves(kind)));
    const kinds = all.filter((_, index) => served[index]);
    const store = await KindStore.start({ ...options, kinds, namespaces: options.namespaces });
    const site = new WatchedSite(options, kinds, store);
    await site.#readMeshConfig();
    return site;
  }

  /** Whether something may have been missed for longer than this. */
  isStale(maxAgeMs: number): boolean {
    return this.#store.isStale(maxAgeMs);
  }

  objects(kind: KubeKind): readonly KubeObject[] {
    if (kind === kubeKinds.configMap) return this.#meshConfig;
    return this.#kinds.has(kind) ? this.#store.objects(kind) : [];
  }

  object(kind: KubeKind, { namespace, name }: ObjectName): KubeObject | undefined {
    if (!this.#kinds.has(kind)) return undefined;
    return this.#store.get(kind, namespace === undefined ? name : `${namespace}/${name}`);
  }

  take(object: KubeObject): void {
    this.#store.take(object);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer);
    await this.#store[Symbol.asyncDispose]();
  }

  /** What was read last stays where it cannot be read now. */
  async #readMeshConfig(): Promise<void> {
    const { api, istioNamespace } = this.#options;
    try {
      const found = await api.get(kubeKinds.configMap, { namespace: istioNamespace, name: meshConfigName });
      this.#meshConfig = found === undefined ? [] : [found];
    } catch (error) {
      if (!(error instanceof KubeError)) throw error;
    }
  }
}
