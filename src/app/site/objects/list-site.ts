import type { KubeApi } from "../../../kubernetes/kube-api.ts";
import { KubeError } from "../../../kubernetes/kube-error.ts";
import { kubeKinds } from "../../../kubernetes/kube-kinds.ts";
import type { KubeKind, KubeObject } from "../../../kubernetes/kube-object.ts";
import { gatewayPlaces } from "./gateway-places.ts";
import { besideKinds, meshConfigName, meshKinds } from "./site-kinds.ts";
import { ListedObjects, type Unseen } from "./site-objects.ts";

export interface ListSiteOptions {
  readonly api: KubeApi;
  /** Read where the kind may not be listed in all namespaces. */
  readonly namespaces: readonly string[];
  readonly istioNamespace: string;
}

export interface ListedSite {
  readonly objects: ListedObjects;
  readonly unseen: readonly Unseen[];
}

/**
 * Everything that the routes of a site are made of, as far as whoever asks may see it. A kind that may not be listed in
 * the whole cluster is listed in single namespaces; a kind that the API does not serve is one without objects. Rejects
 * with the KubeError where the VirtualServices themselves cannot be seen.
 */
export async function listSite(options: ListSiteOptions): Promise<ListedSite> {
  const { api, istioNamespace } = options;
  const kinds = await Promise.all([...meshKinds, ...besideKinds].map((kind) => listKind(kind, options)));
  const found = [...kinds, ...(await listGatewayPlaces(kinds, options))];
  const objects = new ListedObjects();
  for (const { kind, items } of found) objects.add(kind, items);
  const unseen = found.flatMap((each) => each.unseen);
  const meshConfig = await readMeshConfig(api, istioNamespace);
  objects.add(kubeKinds.configMap, meshConfig.items);
  return { objects, unseen: [...unseen, ...meshConfig.unseen] };
}

/** Gateways are often of other namespaces than the routes, so that these are looked into as well. */
async function listGatewayPlaces(
  listed: readonly ListedKind[],
  { api, namespaces, istioNamespace }: ListSiteOptions,
): Promise<readonly ListedKind[]> {
  const isLimited = ({ kind, unseen }: ListedKind) => placeKinds.has(kind) && unseen.length > 0;
  const services = listed.find(({ kind }) => kind === kubeKinds.virtualService)?.items ?? [];
  const known = new Set([...namespaces, istioNamespace]);
  const places = gatewayPlaces(services).filter((place) => !known.has(place));
  const asked = listed.filter(isLimited).flatMap(({ kind }) => places.map((namespace) => ({ kind, namespace })));
  return await Promise.all(
    asked.map(async ({ kind, namespace }) => {
      try {
        return { kind, items: (await api.list(kind, { namespace })).items, unseen: [] };
      } catch (error) {
        if (!(error instanceof KubeError) || error.status !== 403) throw error;
        return { kind, items: [], unseen: [{ kind, namespace, why: error.message }] };
      }
    }),
  );
}

const placeKinds: ReadonlySet<KubeKind> = new Set([kubeKinds.gateway, kubeKinds.pod]);

interface ListedKind {
  readonly kind: KubeKind;
  readonly items: readonly KubeObject[];
  readonly unseen: readonly Unseen[];
}

async function listKind(kind: KubeKind, options: ListSiteOptions): Promise<ListedKind> {
  const { api } = options;
  try {
    const { items } = await api.list(kind);
    return { kind, items, unseen: [] };
  } catch (error) {
    if (!(error instanceof KubeError)) throw error;
    if (error.status === 404) return { kind, items: [], unseen: [] };
    if (error.status !== 403) throw error;
    // Who may not list a kind is refused even where the API does not serve it.
    if (!(await api.serves(kind))) return { kind, items: [], unseen: [] };
    return await listNamespaces(kind, options, error);
  }
}

async function listNamespaces(kind: KubeKind, options: ListSiteOptions, whole: KubeError): Promise<ListedKind> {
  const elsewhere: Unseen = { kind, namespace: undefined, why: whole.message };
  if (!kind.isNamespaced) return { kind, items: [], unseen: [elsewhere] };
  const namespaces = [...new Set([...options.namespaces, options.istioNamespace])];
  const items: KubeObject[] = [];
  const refused: KubeError[] = [];
  const unseen: Unseen[] = [elsewhere];
  for (const namespace of namespaces) {
    try {
      items.push(...(await options.api.list(kind, { namespace })).items);
    } catch (error) {
      if (!(error instanceof KubeError) || error.status !== 403) throw error;
      refused.push(error);
      unseen.push({ kind, namespace, why: error.message });
    }
  }
  const isBlind = refused.length === namespaces.length;
  if (isBlind && kind === kubeKinds.virtualService) throw refused[0] ?? whole;
  return { kind, items, unseen };
}

/** Without it Istio's own defaults are taken, which is what most meshes have. */
async function readMeshConfig(api: KubeApi, namespace: string): Promise<ListedKind> {
  const kind = kubeKinds.configMap;
  try {
    const found = await api.get(kind, { namespace, name: meshConfigName });
    return { kind, items: found === undefined ? [] : [found], unseen: [] };
  } catch (error) {
    if (!(error instanceof KubeError) || error.status !== 403) throw error;
    return { kind, items: [], unseen: [{ kind, namespace, why: error.message }] };
  }
}
