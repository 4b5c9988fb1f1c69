import type { MeshModel } from "../../core/mesh-model.ts";
import type { SourceText } from "../../core/manifest/manifest.ts";
import { askSidecars } from "./ask-sidecars.ts";
import { connectSite } from "./connection/connect-site.ts";
import { listSite } from "./objects/list-site.ts";
import { readSiteProxies, type SiteProxies } from "./read-site-proxies.ts";
import { SiteMesh } from "./mesh/site-mesh.ts";
import type { Unseen } from "./objects/site-objects.ts";
import type { SiteOptions } from "./connection/site-options.ts";

/** What the objects of a cluster say, as far as they could be seen. */
export interface ReadSite {
  readonly model: MeshModel;
  readonly mesh: SiteMesh;
  /** Undefined where they were not asked for. */
  readonly proxies: SiteProxies | undefined;
  readonly sources: readonly SourceText[];
  readonly unseen: readonly Unseen[];
  /** The namespace of names that name none. */
  readonly defaultNamespace: string;
}

/**
 * Lists the objects of a cluster once, and asks istiod for what they leave open.
 * @throws KirikaeError as `connectSite` does, and the KubeError where the routes cannot be seen
 */
export async function readSite(
  site: SiteOptions,
  env: NodeJS.ProcessEnv,
  { withProxies = false }: { readonly withProxies?: boolean } = {},
): Promise<ReadSite> {
  await using stack = new AsyncDisposableStack();
  const connection = await connectSite(site, env, stack);
  const { api, namespaces } = connection;
  const { istioNamespace } = site;
  const { objects, unseen } = await listSite({ api, namespaces, istioNamespace });
  const { defaultNamespace } = api;
  const mesh = new SiteMesh({ context: site.context, objects, defaultNamespace, istioNamespace });
  await askSidecars(connection, mesh);
  const proxies = withProxies ? await readSiteProxies(connection) : undefined;
  return { proxies, mesh, model: mesh.model, sources: mesh.sources(), unseen, defaultNamespace };
}
