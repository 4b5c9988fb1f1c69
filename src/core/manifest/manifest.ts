import type { Position } from "../diagnostics/position.ts";
import type { DestinationRuleSpec } from "./destination-rule.ts";
import type { GatewaySpec } from "./gateway.ts";
import type { LocalWorkloadSpec } from "./local-workload.ts";
import type { ServiceEntrySpec, WorkloadEntrySpec } from "./service-entry.ts";
import type { ServiceSpec, WorkloadSpec } from "./service.ts";
import type { VirtualServiceSpec } from "./virtual-service.ts";

/** A text with a name, as read from disk or standard input; `path` is shown in diagnostics as it is. */
export interface SourceText {
  readonly path: string;
  readonly text: string;
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
}

export type GatewayManifest = ManifestOf<"Gateway", GatewaySpec>;
export type VirtualServiceManifest = ManifestOf<"VirtualService", VirtualServiceSpec>;
export type DestinationRuleManifest = ManifestOf<"DestinationRule", DestinationRuleSpec>;
export type ServiceEntryManifest = ManifestOf<"ServiceEntry", ServiceEntrySpec>;
export type WorkloadEntryManifest = ManifestOf<"WorkloadEntry", WorkloadEntrySpec>;
export type ServiceManifest = ManifestOf<"Service", ServiceSpec>;
/** Anything that makes pods: a Pod itself, or an object with a pod template. */
export type WorkloadManifest = ManifestOf<
  "Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet" | "Pod",
  WorkloadSpec
>;
type NamespaceManifest = ManifestOf<"Namespace", Readonly<Record<string, never>>>;
export type LocalWorkloadManifest = ManifestOf<"LocalWorkload", LocalWorkloadSpec>;

export type Manifest =
  | GatewayManifest
  | VirtualServiceManifest
  | DestinationRuleManifest
  | ServiceEntryManifest
  | WorkloadEntryManifest
  | ServiceManifest
  | WorkloadManifest
  | NamespaceManifest
  | LocalWorkloadManifest;

/** `namespace/name`, unique within a kind; the name alone for a Namespace. */
export type ObjectName = string;

export function objectName(manifest: Manifest): ObjectName {
  const { namespace, name } = manifest.metadata;
  return namespace === "" ? name : `${namespace}/${name}`;
}

/** `Kind namespace/name`, the form in which diagnostics name an object. */
export function resourceName(manifest: Manifest): string {
  return `${manifest.kind} ${objectName(manifest)}`;
}
