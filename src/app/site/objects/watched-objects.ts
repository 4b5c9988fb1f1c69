import type { KubeApi } from "../../../kubernetes/kube-api.ts";
import type { KindChange, StoreTrouble } from "../../../kubernetes/kind-store.ts";
import { kubeKinds } from "../../../kubernetes/kube-kinds.ts";
import type { KubeKind, KubeObject, ObjectName } from "../../../kubernetes/kube-object.ts";
import { besideKinds, keyOfKind, meshKinds } from "./site-kinds.ts";
import type { SiteObjects, Unseen } from "./site-objects.ts";
import { WatchedSite } from "./watch-site.ts";

export interface WatchOptions {
  readonly api: KubeApi;
  /** Watched where a kind may not be watched in all namespaces. */
  readonly namespaces: readonly string[];
  readonly istioNamespace: string;
  readonly onChange: (changes: readonly KindChange[]) => void;
  readonly onTrouble: (trouble: StoreTrouble) => void;
}

/** What may be watched, and where. */
interface Reach {
  readonly everywhere: readonly KubeKind[];
  readonly inNamespaces: readonly KubeKind[];
  readonly unseen: readonly Unseen[];
}

/** The objects of a site as far as they may be seen, kept fresh by watches until disposed. */
export class WatchedObjects implements SiteObjects, AsyncDisposable {
  readonly unseen: readonly Unseen[];
  readonly #parts: ReadonlyMap<string, WatchedSite>;
  readonly #stack: AsyncDisposableStack;

  private constructor(parts: ReadonlyMap<string, WatchedSite>, unseen: readonly Unseen[], stack: AsyncDisposableStack) {
    this.#parts = parts;
    this.unseen = unseen;
    this.#stack = stack;
  }

  /**
   * Resolves when all that may be seen is listed and watched.
   * @throws KubeError where the VirtualServices may not be watched, and where the API server does not answer
   */
  static async start(options: WatchOptions): Promise<WatchedObjects> {
    await using stack = new AsyncDisposableStack();
    const { namespaces: own, ...rest } = options;
    const namespaces = [...new Set([...own, options.istioNamespace])];
    const reach = await findReach(options, namespaces);
    const parts = new Map<string, WatchedSite>();
    const watch = async (kinds: readonly KubeKind[], within: readonly string[] | undefined): Promise<void> => {
      if (kinds.length === 0) return;
      const part = stack.use(await WatchedSite.start({ ...rest, kinds, namespaces: within }));
      for (const kind of [...kinds, kubeKinds.configMap]) parts.set(keyOfKind(kind), part);
    };
    await watch(reach.everywhere, undefined);
    await watch(reach.inNamespaces, namespaces);
    return new WatchedObjects(parts, reach.unseen, stack.move());
  }

  objects(kind: KubeKind): readonly KubeObject[] {
    return this.#parts.get(keyOfKind(kind))?.objects(kind) ?? [];
  }

  object(kind: KubeKind, name: ObjectName): KubeObject | undefined {
    return this.#parts.get(keyOfKind(kind))?.object(kind, name);
  }

  take(object: KubeObject): void {
    for (const part of new Set(this.#parts.values())) part.take(object);
  }

  /** Whether something may have been missed for longer than this. */
  isStale(maxAgeMs: number): boolean {
    return [...new Set(this.#parts.values())].some((part) => part.isStale(maxAgeMs));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }
}

/** A kind that may not be watched anywhere, or that the API does not serve, is left out; VirtualServices never are. */
async function findReach({ api }: WatchOptions, namespaces: readonly string[]): Promise<Reach> {
  const everywhere: KubeKind[] = [];
  const inNamespaces: KubeKind[] = [];
  const unseen: Unseen[] = [];
  for (const kind of [...meshKinds, ...besideKinds]) {
    if (!(await api.serves(kind))) continue;
    if (await mayWatch(api, kind, undefined)) {
      everywhere.push(kind);
      continue;
    }
    unseen.push({ kind, namespace: undefined, why: "it may not be listed and watched" });
    if (!kind.isNamespaced) continue;
    const refused: string[] = [];
    for (const namespace of namespaces) if (!(await mayWatch(api, kind, namespace))) refused.push(namespace);
    const isRoutes = kind === kubeKinds.virtualService;
    if (refused.length === 0 || isRoutes) inNamespaces.push(kind);
    else unseen.push(...refused.map((namespace) => ({ kind, namespace, why: "it may not be listed and watched" })));
  }
  return { everywhere, inNamespaces, unseen };
}

async function mayWatch(api: KubeApi, { group, plural }: KubeKind, namespace: string | undefined): Promise<boolean> {
  const access = { group, resource: plural, namespace };
  const answers = await Promise.all([api.canI({ verb: "list", ...access }), api.canI({ verb: "watch", ...access })]);
  return answers.every(Boolean);
}
