import type { Position } from "../diagnostics/position.ts";

/** `networking.istio.io` ServiceEntry. */
export interface ServiceEntrySpec {
  readonly hosts: readonly string[];
  readonly addresses: readonly string[];
  readonly ports: readonly ServiceEntryPort[];
  readonly location: "MESH_EXTERNAL" | "MESH_INTERNAL";
  readonly resolution: "NONE" | "STATIC" | "DNS" | "DNS_ROUND_ROBIN";
  readonly endpoints: readonly WorkloadEntrySpec[];
  readonly workloadSelector: Readonly<Record<string, string>> | undefined;
  readonly exportTo: readonly string[];
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
  /** An IP address, a DNS name, or `unix:///path`. */
  readonly address: string;
  readonly ports: Readonly<Record<string, number>>;
  readonly labels: Readonly<Record<string, string>>;
  readonly weight: number | undefined;
  readonly at: Position;
}
