import type { KubeKind } from "./kube-object.ts";

function namespaced(group: string, version: string, [kind, plural]: readonly [string, string]): KubeKind {
  return { group, version, kind, plural, isNamespaced: true };
}

/** The kinds that kirikae reads or writes in a cluster. */
export const kubeKinds = {
  virtualService: namespaced("networking.istio.io", "v1", ["VirtualService", "virtualservices"]),
  destinationRule: namespaced("networking.istio.io", "v1", ["DestinationRule", "destinationrules"]),
  gateway: namespaced("networking.istio.io", "v1", ["Gateway", "gateways"]),
  serviceEntry: namespaced("networking.istio.io", "v1", ["ServiceEntry", "serviceentries"]),
  workloadEntry: namespaced("networking.istio.io", "v1", ["WorkloadEntry", "workloadentries"]),
  sidecar: namespaced("networking.istio.io", "v1", ["Sidecar", "sidecars"]),
  ingress: namespaced("networking.k8s.io", "v1", ["Ingress", "ingresses"]),
  httpRoute: namespaced("gateway.networking.k8s.io", "v1", ["HTTPRoute", "httproutes"]),
  grpcRoute: namespaced("gateway.networking.k8s.io", "v1", ["GRPCRoute", "grpcroutes"]),
  service: namespaced("", "v1", ["Service", "services"]),
  endpointSlice: namespaced("discovery.k8s.io", "v1", ["EndpointSlice", "endpointslices"]),
  pod: namespaced("", "v1", ["Pod", "pods"]),
  configMap: namespaced("", "v1", ["ConfigMap", "configmaps"]),
  secret: namespaced("", "v1", ["Secret", "secrets"]),
  event: namespaced("", "v1", ["Event", "events"]),
  deployment: namespaced("apps", "v1", ["Deployment", "deployments"]),
  lease: namespaced("coordination.k8s.io", "v1", ["Lease", "leases"]),
  release: namespaced("kirikae.dev", "v1alpha1", ["Release", "releases"]),
  namespace: { group: "", version: "v1", kind: "Namespace", plural: "namespaces", isNamespaced: false },
  ingressClass: {
    group: "networking.k8s.io",
    version: "v1",
    kind: "IngressClass",
    plural: "ingressclasses",
    isNamespaced: false,
  },
  webhook: {
    group: "admissionregistration.k8s.io",
    version: "v1",
    kind: "ValidatingWebhookConfiguration",
    plural: "validatingwebhookconfigurations",
    isNamespaced: false,
  },
} as const satisfies Readonly<Record<string, KubeKind>>;
