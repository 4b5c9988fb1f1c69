import type { KubeApi } from "../../../kubernetes/kube-api.ts";
import type { KindChange, StoreTrouble } from "../../../kubernetes/kind-store.ts";
import { kubeKinds } from "../../../kubernetes/kube-kinds.ts";
import type { KubeKind, KubeObject, ObjectName } from "../../../kubernetes/kube-object.ts";
import { GatewayWatch, placeKinds } from "./gateway-watch.ts";
import { mayWatch, unseenFor } from "./may-watch.ts";
import { besideKinds, keyOfKind, meshKinds, unmovedKinds } from "./site-kinds.ts";
import type { SiteObjects, Unseen } from "./site-objects.ts";
import { WatchedSite } from "./watch-site.ts";

export interface WatchOptions {
  readonly api: KubeApi;
  /** Watched where a kind is not watched in all namespaces. */
  readonly namespaces: readonly string[];
  readonly istioNamespace: string;
  /**
   * `asked`, where nothing is said: whatever may be watched, in the whole cluster or else in the namespaces, and nothing is
   * missed but the routes. `whole` and `namespaces`: everything there, as whoever installed it has meant it, and a right
   * that is missing is an error.
   */
  readonly rights?: "asked" | "whole" | "namespaces";
  readonly onChange: (changes: readonly KindChange[]) => void;
  readonly onTrouble: (trouble: StoreTrouble) => void;
}

/** Where a kind may be watched, and where not. */
interface Reach {
  readonly kind: KubeKind;
  /** Undefined for all of them; empty for none. */
  readonly namespaces: readonly string[] | undefined;
  readonly unseen: readonly Unseen[];
}

interface Parts {
  /** By kind. */
  readonly sites: ReadonlyMap<string, WatchedSite>;
  readonly gateways: GatewayWatch;
  readonly unseen: readonly Unseen[];
}

/** The objects of a site as far as they may be seen, kept fresh by watches until disposed. */
export class WatchedObjects implements SiteObjects, AsyncDisposable {
  readonly #parts: Parts;
  readonly #stack: AsyncDisposableStack;

  private constructor(parts: Parts, stack: AsyncDisposableStack) {
    this.#parts = parts;
    this.#stack = stack;
  }

  /**
   * Resolves when all that may be seen is listed and watched.
   * @throws KubeError where the VirtualServices may not be watched, and where the API server does not answer
   */
  static async start(options: WatchOptions): Promise<WatchedObjects> {
    await using stack = new AsyncDisposableStack();
    const { api, istioNamespace, onTrouble } = options;
    const namespaces = [...new Set([...options.namespaces, istioNamespace])];
    const reaches = await findReaches(options, namespaces);
    const kinds = reaches
      .filter((reach) => reach.namespaces !== undefined && placeKinds.includes(reach.kind))
      .map(({ kind }) => kind);
    const gateways = stack.use(new GatewayWatch({ ...options, kinds, namespaces }));
    const sites = new Map<string, WatchedSite>();
    const services = () => sites.get(keyOfKind(kubeKinds.virtualService))?.objects(kubeKinds.virtualService) ?? [];
    const onChange = (changes: readonly KindChange[]): void => {
      options.onChange(changes);
      if (changes.some(({ kind }) => kind === kubeKinds.virtualService)) void gateways.follow(services);
    };
    for (const part of groupByPlace(reaches)) {
      const site = await WatchedSite.start({ api, istioNamespace, ...part, onChange, onTrouble });
      stack.use(site);
      for (const kind of [...part.kinds, kubeKinds.configMap]) sites.set(keyOfKind(kind), site);
    }
    await gateways.follow(services);
    return new WatchedObjects({ sites, gateways, unseen: reaches.flatMap(({ unseen }) => unseen) }, stack.move());
  }

  get unseen(): readonly Unseen[] {
    return [...this.#parts.unseen, ...this.#parts.gateways.unseen];
  }

  objects(kind: KubeKind): readonly KubeObject[] {
    const { sites, gateways } = this.#parts;
    const own = sites.get(keyOfKind(kind))?.objects(kind) ?? [];
    return placeKinds.includes(kind) ? [...own, ...gateways.objects(kind)] : own;
  }

  object(kind: KubeKind, name: ObjectName): KubeObject | undefined {
    const { sites, gateways } = this.#parts;
    return sites.get(keyOfKind(kind))?.object(kind, name) ?? gateways.object(kind, name);
  }

  take(object: KubeObject): void {
    for (const part of this.#sites) part.take(object);
  }

  /** Whether something may have been missed for longer than this. */
  isStale(maxAgeMs: number): boolean {
    return this.#parts.gateways.isStale(maxAgeMs) || [...this.#sites].some((part) => part.isStale(maxAgeMs));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }

  get #sites(): ReadonlySet<WatchedSite> {
    return new Set(this.#parts.sites.values());
  }
}

/** A kind that the API does not serve is left out, and so is what may not be watched where rights are asked about. */
async function findReaches(
  { api, rights = "asked" }: WatchOptions,
  namespaces: readonly string[],
): Promise<readonly Reach[]> {
  const found: Reach[] = [];
  for (const kind of [...meshKinds, ...besideKinds]) {
    if (!(await api.serves(kind))) continue;
    const isAsked = rights === "asked" || unmovedKinds.includes(kind);
    const isWhole = rights !== "namespaces" || !kind.isNamespaced;
    if (isWhole && (!isAsked || (await mayWatch(api, kind, undefined)))) {
      found.push({ kind, namespaces: undefined, unseen: [] });
    } else {
      found.push(isAsked ? await reachWithin(api, kind, namespaces) : { kind, namespaces, unseen: [] });
    }
  }
  return found;
}

/** VirtualServices that may be watched nowhere are watched nevertheless, so that whoever asks is told of the refusal. */
async function reachWithin(api: KubeApi, kind: KubeKind, namespaces: readonly string[]): Promise<Reach> {
  const elsewhere = unseenFor(kind, undefined);
  if (!kind.isNamespaced) return { kind, namespaces: [], unseen: [elsewhere] };
  const allowed: string[] = [];
  for (const namespace of namespaces) if (await mayWatch(api, kind, namespace)) allowed.push(namespace);
  const refused = namespaces.filter((namespace) => !allowed.includes(namespace));
  const isBlind = allowed.length === 0 && kind === kubeKinds.virtualService;
  const unseen = [elsewhere, ...refused.map((namespace) => unseenFor(kind, namespace))];
  return { kind, namespaces: isBlind ? namespaces : allowed, unseen };
}

interface Group {
  readonly kinds: readonly KubeKind[];
  readonly namespaces: readonly string[] | undefined;
}

/** Kinds that are watched in the same places are watched together. */
function groupByPlace(reaches: readonly Reach[]): readonly Group[] {
  const groups = new Map<string, Group>();
  for (const { kind, namespaces } of reaches) {
    if (namespaces?.length === 0) continue;
    const key = namespaces?.join(",") ?? "*";
    groups.set(key, { kinds: [...(groups.get(key)?.kinds ?? []), kind], namespaces });
  }
  return [...groups.values()];
}
