import type { KubeApi, KubeList, ListOptions } from "../../../kubernetes/kube-api.ts";
import { KubeError } from "../../../kubernetes/kube-error.ts";
import type { KubeKind } from "../../../kubernetes/kube-object.ts";

/**
 * The same API server for somebody who may have rights in some namespaces only: what may not be listed everywhere is
 * listed there. That something was not seen is said where the site is read.
 * @param namespaces gone through anew each time, so that they may be those of the moment
 */
export function limitApi(api: KubeApi, namespaces: Iterable<string>): KubeApi {
  return {
    context: api.context,
    defaultNamespace: api.defaultNamespace,
    get: (...args) => api.get(...args),
    list: (kind, options) => listWhereAllowed(api, { kind, options, namespaces }),
    create: (...args) => api.create(...args),
    replace: (...args) => api.replace(...args),
    apply: (...args) => api.apply(...args),
    mergePatch: (...args) => api.mergePatch(...args),
    delete: (...args) => api.delete(...args),
    canI: (access) => api.canI(access),
    serves: (kind) => api.serves(kind),
    watch: (...args) => api.watch(...args),
    getText: (...args) => api.getText(...args),
    openPort: (...args) => api.openPort(...args),
    [Symbol.asyncDispose]: () => api[Symbol.asyncDispose](),
  };
}

interface Listing {
  readonly kind: KubeKind;
  readonly options: ListOptions | undefined;
  readonly namespaces: Iterable<string>;
}

/** Rejects with the refusal of the whole where none of the namespaces may be listed either. */
async function listWhereAllowed(api: KubeApi, { kind, options, namespaces }: Listing): Promise<KubeList> {
  try {
    return await api.list(kind, options);
  } catch (error) {
    const isLimited = kind.isNamespaced && options?.namespace === undefined;
    if (!isForbidden(error) || !isLimited) throw error;
    const parts = await Promise.all(
      [...new Set(namespaces)].map((namespace) => listOne(api, { kind, options, namespace })),
    );
    const lists = parts.filter((part) => part !== undefined);
    const [first] = lists;
    if (first === undefined) throw error;
    return { resourceVersion: first.resourceVersion, items: lists.flatMap(({ items }) => items) };
  }
}

async function listOne(
  api: KubeApi,
  { kind, options, namespace }: Pick<Listing, "kind" | "options"> & { readonly namespace: string },
): Promise<KubeList | undefined> {
  try {
    return await api.list(kind, { ...options, namespace });
  } catch (error) {
    if (isForbidden(error)) return undefined;
    throw error;
  }
}

function isForbidden(error: unknown): boolean {
  return error instanceof KubeError && error.status === 403;
}
