import type { SiteObject } from "../../../core/site/site-object.ts";
import { KubeError } from "../../../kubernetes/kube-error.ts";
import { kubeKinds } from "../../../kubernetes/kube-kinds.ts";
import { connectSite } from "../connection/connect-site.ts";
import type { SiteOptions } from "../connection/site-options.ts";

export interface ListedVirtualServices {
  /** As the API server gives them, with what kirikae has laid. */
  readonly objects: readonly SiteObject[];
  /** The namespace of names that name none. */
  readonly defaultNamespace: string;
}

/**
 * The live VirtualServices of a cluster: all of them, or those of the namespaces that are named where nobody may list all.
 * @throws KirikaeError as `connectSite` does, and the KubeError where they cannot be seen
 */
export async function listVirtualServices(site: SiteOptions, env: NodeJS.ProcessEnv): Promise<ListedVirtualServices> {
  await using stack = new AsyncDisposableStack();
  const { api, namespaces } = await connectSite(site, env, stack);
  const kind = kubeKinds.virtualService;
  const list = async (namespace?: string): Promise<readonly SiteObject[]> => {
    const { items } = await api.list(kind, namespace === undefined ? {} : { namespace });
    // An item of a list says neither what it is nor of which version.
    return items.map((item) => ({ ...item, apiVersion: `${kind.group}/${kind.version}`, kind: kind.kind }));
  };
  try {
    return { objects: await list(), defaultNamespace: api.defaultNamespace };
  } catch (error) {
    if (!(error instanceof KubeError) || error.status !== 403) throw error;
  }
  const listed = await Promise.all(namespaces.map((namespace) => list(namespace)));
  return { objects: listed.flat(), defaultNamespace: api.defaultNamespace };
}
