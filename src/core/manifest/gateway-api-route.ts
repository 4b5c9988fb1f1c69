/** The part of an HTTPRoute or a GRPCRoute of the Kubernetes Gateway API that says which requests it may take. */
export interface GatewayApiRouteSpec {
  /** Empty takes every host of its parents. */
  readonly hosts: readonly string[];
  readonly parents: readonly RouteParent[];
}

/** What it is attached to: a Gateway, or a service whose callers have a sidecar. */
export interface RouteParent {
  readonly group: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
}
