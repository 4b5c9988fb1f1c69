import type { Position } from "../diagnostics/position.ts";

/** `networking.istio.io` ServiceEntry. */
export interface ServiceEntrySpec {
  readonly hosts: readonly string[];
  readonly addresses: readonly string[];
  readonly ports: readonly ServiceEntryPort[];
  readonly location: "MESH_EXTERNAL" | "MESH_INTERNAL";
  readonly resolution: "NONE" | "STATIC" | "DNS" | "DNS_ROUND_ROBIN" | "DYNAMIC_DNS";
  readonly endpoints: readonly WorkloadEntrySpec[];
  readonly workloadSelector: Readonly<Record<string, string>> | undefined;
  /** One of these must be in the certificate of an endpoint, where a proxy begins TLS with it. */
  readonly subjectAltNames: readonly string[];
  readonly exportTo: readonly string[];
  /** True where Istio wrote addresses of its own into the status, as it does when it allocates them. */
  readonly hasAllocatedAddresses?: boolean;
}

export interface ServiceEntryPort {
  readonly name: string;
  readonly number: number;
  readonly protocol: string;
  readonly targetPort: number | undefined;
  readonly at: Position;
}

/** An endpoint outside Kubernetes: inline in a ServiceEntry, or a WorkloadEntry of its own. */
export interface WorkloadEntrySpec {
  /** An IP address, a DNS name, or `unix:///path`; undefined is behind the gateway of another `network`. */
  readonly address: string | undefined;
  readonly ports: Readonly<Record<string, number>>;
  readonly labels: Readonly<Record<string, string>>;
  readonly weight: number | undefined;
  /** `region/zone/subzone`, or less of it; undefined where the manifest gives none. */
  readonly locality: string | undefined;
  readonly network: string | undefined;
  readonly serviceAccount: string | undefined;
  readonly at: Position;
}

/** `networking.istio.io` WorkloadGroup: what the WorkloadEntries that join it look like. */
export interface WorkloadGroupSpec {
  /** Of the WorkloadEntries made from it. */
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly template: WorkloadEntrySpec;
}
