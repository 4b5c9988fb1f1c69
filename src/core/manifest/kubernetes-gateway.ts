/** The part of a `gateway.networking.k8s.io` Gateway that a VirtualService can be bound to. */
export interface KubernetesGatewaySpec {
  /** Of its listeners; empty takes every host. */
  readonly hosts: readonly string[];
}
