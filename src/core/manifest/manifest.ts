import type { Position } from "../diagnostics/position.ts";
import type { DestinationRuleSpec } from "./destination-rule.ts";
import type { EndpointSliceSpec } from "./endpoint-slice.ts";
import type { GatewayApiRouteSpec } from "./gateway-api-route.ts";
import type { GatewaySpec } from "./gateway.ts";
import type { IngressClassSpec, IngressSpec } from "./ingress.ts";
import type { KubernetesGatewaySpec } from "./kubernetes-gateway.ts";
import type { LocalWorkloadSpec } from "./local-workload.ts";
import type { MeshConfig } from "./mesh-config.ts";
import type { ReleaseSpec } from "./release.ts";
import type { SecretSpec } from "./secret.ts";
import type { SecurityPolicySpec } from "./security-policy.ts";
import type { ServiceEntrySpec, WorkloadEntrySpec, WorkloadGroupSpec } from "./service-entry.ts";
import type { ServiceSpec } from "./service.ts";
import type { SidecarSpec } from "./sidecar.ts";
import type { VirtualServiceSpec } from "./virtual-service.ts";
import type { WorkloadSpec } from "./workload.ts";

/** A text with a name, as read from disk or standard input; `path` is shown in diagnostics as it is. */
export interface SourceText {
  readonly path: string;
  readonly text: string;
  /** The JSON of one object that is in no file: places in it are its fields. `path` is `Kind namespace/name` then. */
  readonly isObject?: true;
}

export interface ObjectMeta {
  readonly name: string;
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  /** RFC 3339; Istio orders objects by it. Files rarely carry one, and then the name decides. */
  readonly creationTimestamp: string | undefined;
}

interface ManifestOf<Kind extends string, Spec> {
  readonly kind: Kind;
  readonly apiVersion: string;
  readonly metadata: ObjectMeta;
  readonly spec: Spec;
  /** Where the document begins. */
  readonly at: Position;
  /** `Kind namespace/name` of the object that says this, where no text has it by itself: what an Ingress stands for. */
  readonly madeFrom?: string;
}

export type GatewayManifest = ManifestOf<"Gateway", GatewaySpec>;
export type VirtualServiceManifest = ManifestOf<"VirtualService", VirtualServiceSpec>;
export type DestinationRuleManifest = ManifestOf<"DestinationRule", DestinationRuleSpec>;
export type ServiceEntryManifest = ManifestOf<"ServiceEntry", ServiceEntrySpec>;
export type WorkloadEntryManifest = ManifestOf<"WorkloadEntry", WorkloadEntrySpec>;
export type ServiceManifest = ManifestOf<"Service", ServiceSpec>;
export type WorkloadGroupManifest = ManifestOf<"WorkloadGroup", WorkloadGroupSpec>;
export type SidecarManifest = ManifestOf<"Sidecar", SidecarSpec>;
/** Both forms in which Kubernetes keeps the addresses behind a Service. */
export type EndpointSliceManifest = ManifestOf<"EndpointSlice" | "Endpoints", EndpointSliceSpec>;
export type IngressManifest = ManifestOf<"Ingress", IngressSpec>;
export type IngressClassManifest = ManifestOf<"IngressClass", IngressClassSpec>;
/** A ConfigMap is here where it holds a CA, which Istio takes in the place of a Secret. */
export type SecretManifest = ManifestOf<"Secret" | "ConfigMap", SecretSpec>;
export type SecurityPolicyManifest = ManifestOf<
  "AuthorizationPolicy" | "RequestAuthentication" | "PeerAuthentication",
  SecurityPolicySpec
>;
/** A Gateway of the Kubernetes Gateway API, under a name of its own beside Istio's. */
export type KubernetesGatewayManifest = ManifestOf<"KubernetesGateway", KubernetesGatewaySpec>;
export type GatewayApiRouteManifest = ManifestOf<"HTTPRoute" | "GRPCRoute", GatewayApiRouteSpec>;
/** From the ConfigMap `istio` of the root namespace, an IstioOperator, or a document of its own. */
type MeshConfigManifest = ManifestOf<"MeshConfig", MeshConfig>;
/** Anything that makes pods: a Pod itself, or an object with a pod template. */
export type WorkloadManifest = ManifestOf<WorkloadKind, WorkloadSpec>;
/** Its labels say whether pods get a sidecar. */
export type NamespaceManifest = ManifestOf<"Namespace", Readonly<Record<string, never>>>;
export type LocalWorkloadManifest = ManifestOf<"LocalWorkload", LocalWorkloadSpec>;
export type ReleaseManifest = ManifestOf<"Release", ReleaseSpec>;

/** Kinds that make pods. */
const workloadKinds = [
  "Deployment",
  "StatefulSet",
  "DaemonSet",
  "ReplicaSet",
  "Rollout",
  "ReplicationController",
  "Job",
  "CronJob",
  "Pod",
] as const;

type WorkloadKind = (typeof workloadKinds)[number];

export type Manifest =
  | GatewayManifest
  | VirtualServiceManifest
  | DestinationRuleManifest
  | ServiceEntryManifest
  | WorkloadEntryManifest
  | WorkloadGroupManifest
  | SidecarManifest
  | ServiceManifest
  | EndpointSliceManifest
  | IngressManifest
  | IngressClassManifest
  | SecretManifest
  | SecurityPolicyManifest
  | KubernetesGatewayManifest
  | GatewayApiRouteManifest
  | MeshConfigManifest
  | WorkloadManifest
  | NamespaceManifest
  | LocalWorkloadManifest
  | ReleaseManifest;

export function isWorkload(manifest: Manifest): manifest is WorkloadManifest {
  return workloadKinds.some((kind) => kind === manifest.kind);
}

/** `namespace/name`, unique within a kind; the name alone for a Namespace. */
export type ObjectName = string;

export function objectName(manifest: Manifest): ObjectName {
  const { namespace, name } = manifest.metadata;
  return namespace === "" ? name : `${namespace}/${name}`;
}

/** Whether it is called so: `namespace/name`, or its name alone. */
export function isNamed(manifest: Manifest, wanted: string): boolean {
  return objectName(manifest) === wanted || manifest.metadata.name === wanted;
}

/**
 * `Kind namespace/name`, the form in which diagnostics name an object. What is made from another object has that one's
 * name, because that is what somebody wrote.
 */
export function resourceName(manifest: Manifest): string {
  return manifest.madeFrom ?? `${manifest.kind} ${objectName(manifest)}`;
}
