import { connectInCluster, connectKube } from "../../../kubernetes/connect-kube.ts";
import { createPodReach } from "../../../kubernetes/create-pod-reach.ts";
import type { KubeApi } from "../../../kubernetes/kube-api.ts";
import type { WriterConnection } from "../../../controller/journal/record-writer.ts";
import { locateIstiods } from "../../../targets/istio/locate-istiods.ts";
import type { SiteConnection } from "../connection/connect-site.ts";
import type { SiteOptions } from "../connection/site-options.ts";
import type { WatchOptions } from "../objects/watched-objects.ts";

export interface ControllerPlace {
  /** Without a context, and without a kubeconfig, the cluster of the pod that this runs in. */
  readonly site: Omit<SiteOptions, "context"> & { readonly context: string | undefined };
  /** The only namespace whose Releases and routes count; undefined is all of them. */
  readonly namespace: string | undefined;
}

interface ConnectedController {
  readonly api: KubeApi;
  readonly connection: SiteConnection;
  /** How the thread that writes journals reaches the same API server. */
  readonly writer: WriterConnection;
}

/** @throws KirikaeError where the cluster cannot be reached */
export async function connectController(
  { site, namespace }: ControllerPlace,
  env: NodeJS.ProcessEnv,
  stack: AsyncDisposableStack,
): Promise<ConnectedController> {
  const { context, kubeconfig } = site;
  const isPod = context === undefined && kubeconfig === undefined && "KUBERNETES_SERVICE_HOST" in env;
  const api = stack.use(isPod ? await connectInCluster({ env }) : await connectKube({ context, kubeconfig, env }));
  const reach = stack.use(createPodReach({ api, direct: site.proxyAdmins }));
  return {
    api,
    writer: isPod ? { kind: "inCluster" } : { kind: "context", context, kubeconfig },
    connection: {
      options: { ...site, context: api.context, namespace },
      api,
      reach,
      istiods: () => locateIstiods({ api, reach, namespace: site.istioNamespace, urls: site.istiods }),
      namespaces: [namespace ?? api.defaultNamespace],
    },
  };
}

/** Everything where it was meant to work, and a right that is missing there is an error. */
export function watchedPlaces({ namespace }: ControllerPlace): Pick<WatchOptions, "namespaces" | "rights"> {
  return namespace === undefined
    ? { namespaces: [], rights: "whole" }
    : { namespaces: [namespace], rights: "namespaces" };
}
