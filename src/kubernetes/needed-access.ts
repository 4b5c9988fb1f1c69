/** A right that kirikae asks a cluster for, with the reason; RBAC rules and `kirikae doctor --context` are made of it. */
export interface NeededAccess {
  /** Empty for Kubernetes' core group. */
  readonly group: string;
  /** `virtualservices`, or `pods/portforward`. */
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
  /** Only objects of these names; verbs that name no object (list, watch, create) cannot be limited so. */
  readonly names?: readonly string[];
  readonly where: AccessScope;
  /** Who needs it. */
  readonly for: AccessUse;
  /** What it is for, without a full stop. */
  readonly reason: string;
}

/** In every namespace with routes; in Istio's and in kirikae's own namespace; on objects that live in no namespace. */
export type AccessScope = "routes" | "istio" | "own" | "cluster";

/**
 * `read`: check, explain, routes, status and plan. `move`: switch, shift, rollback and releases beside that. `prove`: asks
 * proxies and istiod. `controller` and `webhook`: what runs in the cluster beside all of them.
 */
type AccessUse = "read" | "move" | "prove" | "controller" | "webhook";

/** Resources that are in no namespace, so that no role of one namespace can grant them. */
export const clusterResources: ReadonlySet<string> = new Set(["namespaces", "ingressclasses"]);

const istio = "networking.istio.io";
const look = ["get", "list", "watch"] as const;

/** The Secret that holds the webhook's own authority and certificate. */
export const webhookSecretName = "kirikae-webhook";
/** The ValidatingWebhookConfiguration, and the Service before the webhook. */
export const webhookName = "kirikae";
/** The Lease of the replica that works. */
export const leaseName = "kirikae";

/** Everything that kirikae does in a cluster; nothing that is not here is asked for. */
export const neededAccess: readonly NeededAccess[] = [
  {
    group: istio,
    resources: ["virtualservices", "destinationrules", "gateways", "serviceentries", "workloadentries", "sidecars"],
    verbs: look,
    where: "routes",
    for: "read",
    reason: "the live routes, and what they lead to",
  },
  {
    group: "networking.k8s.io",
    resources: ["ingresses", "ingressclasses"],
    verbs: look,
    where: "routes",
    for: "read",
    reason: "Ingresses that Istio serves beside the routes, and never moves",
  },
  {
    group: "gateway.networking.k8s.io",
    resources: ["httproutes", "grpcroutes"],
    verbs: look,
    where: "routes",
    for: "read",
    reason: "tells that hosts have routes of the Kubernetes Gateway API too, where it is installed",
  },
  {
    group: "",
    resources: ["services", "namespaces"],
    verbs: look,
    where: "routes",
    for: "read",
    reason: "hosts and ports that routes name, and which namespaces have sidecars",
  },
  {
    group: "",
    resources: ["pods"],
    verbs: look,
    where: "routes",
    for: "read",
    reason: "which pods a subset selects, and which proxies need a route",
  },
  {
    group: "discovery.k8s.io",
    resources: ["endpointslices"],
    verbs: look,
    where: "routes",
    for: "read",
    reason: "no weight goes to a version without ready endpoints",
  },
  {
    group: "apps",
    resources: ["deployments"],
    verbs: look,
    where: "routes",
    for: "read",
    reason: "whether the version that gains traffic is still being rolled out",
  },
  {
    group: "",
    resources: ["configmaps"],
    verbs: ["get"],
    names: ["istio"],
    where: "istio",
    for: "read",
    reason: "mesh-wide defaults of Istio",
  },
  {
    group: istio,
    resources: ["virtualservices", "destinationrules"],
    verbs: ["patch"],
    where: "routes",
    for: "move",
    reason: "weights, and routes and subsets of kirikae's own, by server-side apply",
  },
  {
    group: "",
    resources: ["pods/portforward"],
    // The API server asks for `get` or for `create`, by its version, where the connection is a WebSocket.
    verbs: ["get", "create"],
    where: "routes",
    for: "prove",
    reason: "asks istiod and the proxies themselves what they use",
  },
  {
    group: "",
    resources: ["pods/proxy"],
    verbs: ["get"],
    where: "routes",
    for: "prove",
    reason: "the same where no port can be forwarded",
  },
  {
    group: "kirikae.dev",
    resources: ["releases"],
    verbs: [...look, "patch", "update"],
    where: "routes",
    for: "controller",
    reason: "the Releases, their finalizer, and orders that are taken from their annotations",
  },
  {
    group: "kirikae.dev",
    resources: ["releases/status"],
    verbs: ["get", "patch", "update"],
    where: "routes",
    for: "controller",
    reason: "tells where each Release is",
  },
  {
    group: "kirikae.dev",
    resources: ["releases/finalizers"],
    verbs: ["update"],
    where: "routes",
    for: "controller",
    reason: "ConfigMaps of the journal are owned by their Release and go with it",
  },
  {
    group: "",
    resources: ["configmaps"],
    verbs: ["get", "list", "create", "update", "patch", "delete"],
    where: "routes",
    for: "controller",
    reason: "the journal of each Release, beside the Release",
  },
  {
    group: "",
    resources: ["events"],
    verbs: ["create", "patch"],
    where: "routes",
    for: "controller",
    reason: "events that `kubectl describe release` shows",
  },
  {
    group: "coordination.k8s.io",
    resources: ["leases"],
    verbs: ["create"],
    where: "own",
    for: "controller",
    reason: "the Lease by which one replica works and the other waits",
  },
  {
    group: "coordination.k8s.io",
    resources: ["leases"],
    verbs: ["get", "update", "patch"],
    names: [leaseName],
    where: "own",
    for: "controller",
    reason: "renews it, and gives it back",
  },
  {
    group: "",
    resources: ["secrets"],
    verbs: ["create"],
    where: "own",
    for: "webhook",
    reason: "the webhook's own certificate, where none is given",
  },
  {
    group: "",
    resources: ["secrets"],
    verbs: ["get", "update", "patch"],
    names: [webhookSecretName],
    where: "own",
    for: "webhook",
    reason: "reads and renews it; no other Secret can be read",
  },
  {
    group: "admissionregistration.k8s.io",
    resources: ["validatingwebhookconfigurations"],
    verbs: ["get", "patch"],
    names: [webhookName],
    where: "cluster",
    for: "webhook",
    reason: "writes the authority of that certificate where the API server looks for it",
  },
];
