import { KubeError } from "../../../kubernetes/kube-error.ts";
import { kubeKinds } from "../../../kubernetes/kube-kinds.ts";
import type { KubeKind, KubeObject, ObjectName } from "../../../kubernetes/kube-object.ts";
import { KindStore, type KindStoreOptions } from "../../../kubernetes/kind-store.ts";
import { gatewayPlaces } from "./gateway-places.ts";
import { mayWatch, unseenFor } from "./may-watch.ts";
import type { Unseen } from "./site-objects.ts";

export interface GatewayWatchOptions extends Pick<KindStoreOptions, "api" | "onChange" | "onTrouble"> {
  /** Of Gateways and their pods those kinds that are watched in single namespaces. */
  readonly kinds: readonly KubeKind[];
  /** Namespaces that are watched already. */
  readonly namespaces: readonly string[];
}

/** What of a Gateway is in its namespace: the object, and the pods that play it. */
export const placeKinds: readonly KubeKind[] = [kubeKinds.gateway, kubeKinds.pod];

/** What could not be begun is tried again after this time. */
const retryMs = 10_000;

interface Place {
  readonly kinds: readonly KubeKind[];
  /** Undefined where nothing may be watched there. */
  readonly store: KindStore | undefined;
}

/**
 * Gateways are often of other namespaces than the routes that name them. With rights in single namespaces these are
 * watched as well, as far as they may be, from the moment when a route names them.
 */
export class GatewayWatch implements AsyncDisposable {
  readonly #options: GatewayWatchOptions;
  readonly #places = new Map<string, Place>();
  #unseen: readonly Unseen[] = [];
  #work: Promise<void> = Promise.resolve();
  #retry: NodeJS.Timeout | undefined;
  #isOver = false;

  constructor(options: GatewayWatchOptions) {
    this.#options = options;
  }

  get unseen(): readonly Unseen[] {
    return this.#unseen;
  }

  /** Begins to watch where these routes have their Gateways. Resolves when what may be seen there has been seen. */
  follow(virtualServices: () => readonly KubeObject[]): Promise<void> {
    if (this.#options.kinds.length === 0) return Promise.resolve();
    this.#work = this.#work.then(() => this.#watchNew(virtualServices));
    return this.#work;
  }

  objects(kind: KubeKind): readonly KubeObject[] {
    return [...this.#places.values()].flatMap((place) => storeOf(place, kind)?.objects(kind) ?? []);
  }

  object(kind: KubeKind, { namespace = "", name }: ObjectName): KubeObject | undefined {
    return storeOf(this.#places.get(namespace), kind)?.get(kind, `${namespace}/${name}`);
  }

  isStale(maxAgeMs: number): boolean {
    return [...this.#places.values()].some(({ store }) => store?.isStale(maxAgeMs) === true);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isOver = true;
    clearTimeout(this.#retry);
    await this.#work;
    for (const { store } of this.#places.values()) await store?.[Symbol.asyncDispose]();
  }

  async #watchNew(virtualServices: () => readonly KubeObject[]): Promise<void> {
    if (this.#isOver) return;
    const known = new Set([...this.#options.namespaces, ...this.#places.keys()]);
    for (const place of gatewayPlaces(virtualServices())) {
      if (known.has(place)) continue;
      try {
        await this.#watchPlace(place);
      } catch (error) {
        // The API server is away, or the rights have just changed.
        if (!(error instanceof KubeError)) throw error;
        clearTimeout(this.#retry);
        this.#retry = setTimeout(() => void this.follow(virtualServices), retryMs).unref();
        return;
      }
    }
  }

  async #watchPlace(place: string): Promise<void> {
    const { api, onChange, onTrouble } = this.#options;
    const kinds = await this.#watchable(place);
    const namespaces = [place];
    const store =
      kinds.length === 0 ? undefined : await KindStore.start({ api, kinds, namespaces, onChange, onTrouble });
    this.#places.set(place, { kinds, store });
    const found = kinds.flatMap((kind) => (store?.objects(kind) ?? []).map((object) => ({ kind, object })));
    if (found.length === 0) return;
    // What the first list holds is no change to the store, and is one to who has looked before it.
    onChange(
      found.map(({ kind, object }) => ({ kind, name: `${place}/${object.metadata.name}`, before: undefined, object })),
    );
  }

  async #watchable(place: string): Promise<readonly KubeKind[]> {
    const allowed: KubeKind[] = [];
    for (const kind of this.#options.kinds) {
      if (await mayWatch(this.#options.api, kind, place)) allowed.push(kind);
      else this.#unseen = [...this.#unseen, unseenFor(kind, place)];
    }
    return allowed;
  }
}

function storeOf(place: Place | undefined, kind: KubeKind): KindStore | undefined {
  return place?.kinds.includes(kind) === true ? place.store : undefined;
}
