import { connectKube } from "../../../kubernetes/connect-kube.ts";
import { createPodReach } from "../../../kubernetes/create-pod-reach.ts";
import type { KubeApi } from "../../../kubernetes/kube-api.ts";
import type { PodReach } from "../../../kubernetes/pod-reach.ts";
import { locateIstiods } from "../../../targets/istio/locate-istiods.ts";
import type { IstiodPlace } from "../../../targets/istio/site-view.ts";
import type { SiteOptions } from "./site-options.ts";

/** A cluster, and the ways to what runs in it. Nothing has been asked of it yet. */
export interface SiteConnection {
  readonly options: SiteOptions;
  readonly api: KubeApi;
  readonly reach: PodReach;
  /** Every replica of istiod that is ready now. */
  istiods(): Promise<readonly IstiodPlace[]>;
  /** Where names without a namespace are, and what is read where whole kinds may not be listed. */
  readonly namespaces: readonly string[];
}

/**
 * Reads the kubeconfig. The stack ends what was begun.
 * @throws KirikaeError KIR4001 to KIR4003, as `connectKube` does
 */
export async function connectSite(
  options: SiteOptions,
  env: NodeJS.ProcessEnv,
  stack: AsyncDisposableStack,
): Promise<SiteConnection> {
  const { context, kubeconfig, istioNamespace, namespace } = options;
  const api = stack.use(await connectKube({ context, kubeconfig, env }));
  const reach = stack.use(createPodReach({ api, direct: options.proxyAdmins }));
  return {
    options,
    api,
    reach,
    istiods: () => locateIstiods({ api, reach, namespace: istioNamespace, urls: options.istiods }),
    namespaces: [namespace ?? api.defaultNamespace],
  };
}
