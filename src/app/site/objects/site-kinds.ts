import { kubeKinds } from "../../../kubernetes/kube-kinds.ts";
import type { KubeKind } from "../../../kubernetes/kube-object.ts";

/**
 * What routes requests and is never moved: Ingresses, and the Kubernetes Gateway API, of which it is said alone that it is
 * there. Who may not read it works without.
 */
export const unmovedKinds: readonly KubeKind[] = [
  kubeKinds.ingress,
  kubeKinds.ingressClass,
  kubeKinds.httpRoute,
  kubeKinds.grpcRoute,
];

/** What a site's routes are made of, in an order in which the kinds that matter most come first. */
export const meshKinds: readonly KubeKind[] = [
  kubeKinds.virtualService,
  kubeKinds.destinationRule,
  kubeKinds.gateway,
  kubeKinds.serviceEntry,
  kubeKinds.workloadEntry,
  kubeKinds.sidecar,
  kubeKinds.service,
  kubeKinds.endpointSlice,
  kubeKinds.pod,
  kubeKinds.namespace,
  ...unmovedKinds,
];

/** What is read beside the routes: what is rolled out, and who else moves traffic. */
export const besideKinds: readonly KubeKind[] = [kubeKinds.deployment, kubeKinds.release];

/** Where Istio keeps what counts for the whole mesh. */
export const meshConfigName = "istio";

/** `VirtualService`, or `deployments.apps` where the name of the kind alone would do for several groups. */
export function keyOfKind({ group, plural }: KubeKind): string {
  return `${plural}.${group}`;
}
