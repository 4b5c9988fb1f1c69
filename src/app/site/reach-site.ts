import type { ApiClient } from "../../api/client.ts";
import type { UpEvent } from "../../app-types.ts";
import type { KubeApi } from "../../kubernetes/kube-api.ts";
import { KubeError } from "../../kubernetes/kube-error.ts";
import { connectSite } from "./connection/connect-site.ts";
import { listSite } from "./objects/list-site.ts";
import { openSite } from "./open-site.ts";
import { createSiteClient } from "./site-client.ts";
import type { SiteMesh } from "./mesh/site-mesh.ts";
import type { Unseen } from "./objects/site-objects.ts";
import type { SiteOptions } from "./connection/site-options.ts";

export interface ReachSiteOptions {
  readonly site: SiteOptions;
  readonly access: "read" | "write";
  /** Who asks. */
  readonly actor: string;
  readonly onEvent: (event: UpEvent) => void;
  /** How long the API server may take to say that it is there; absent is as long as any request of it may. */
  readonly patienceMs?: number | undefined;
}

/** A site in this process, for one command. Disposing it waits for the move that is under way. */
export interface ReachedSite extends AsyncDisposable {
  readonly client: ApiClient;
  readonly mesh: SiteMesh;
  /** What could not be seen, and makes answers about it doubtful. */
  readonly unseen: readonly Unseen[];
}

/**
 * Looks at a cluster once and answers as a running `up` would.
 * @throws KirikaeError as `connectSite` and `openSite` do, and the KubeError where the routes cannot be seen
 */
export async function reachSite(options: ReachSiteOptions, env: NodeJS.ProcessEnv): Promise<ReachedSite> {
  const { site, access, actor, onEvent, patienceMs } = options;
  await using stack = new AsyncDisposableStack();
  const connection = await connectSite(site, env, stack);
  const { api, namespaces } = connection;
  if (patienceMs !== undefined) await callOn(api, patienceMs);
  const { objects, unseen } = await listSite({ api, namespaces, istioNamespace: site.istioNamespace });
  const opening = { connection, objects, access, actor, onEvent, allowsCommands: false, folder: process.cwd() };
  const { mesh, runtime } = await openSite(opening, env, stack);
  const running = stack.move();
  return {
    client: createSiteClient(runtime, site.context),
    mesh,
    unseen,
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

/** To be refused is an answer. */
async function callOn(api: Pick<KubeApi, "getText">, timeoutMs: number): Promise<void> {
  try {
    await api.getText("/livez", { timeoutMs });
  } catch (error) {
    if (!(error instanceof KubeError) || error.status === undefined) throw error;
  }
}
