/** Which cluster is meant, and how its parts are reached. */
export interface SiteOptions {
  /** A context of the kubeconfig. */
  readonly context: string;
  /** The file; else KUBECONFIG, else `~/.kube/config`. */
  readonly kubeconfig?: string | undefined;
  /** Addresses of istiod's debug port; none finds its pods. */
  readonly istiods: readonly string[];
  /** Addresses of proxies' admin ports by `pod.namespace`; others are reached through the API server. */
  readonly proxyAdmins: ReadonlyMap<string, string>;
  /** Where requests of releases reach Gateways: `host:port` by `namespace/name` or `namespace/name:port`. */
  readonly gatewayAddresses?: ReadonlyMap<string, string>;
  /** Where istiod runs. */
  readonly istioNamespace: string;
  /** Field managers whose weights may be taken over. */
  readonly takeOver: readonly string[];
  /** Read where whole kinds may not be listed, beside the context's own namespace. */
  readonly namespace?: string | undefined;
}
