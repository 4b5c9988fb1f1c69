import type { Position } from "../diagnostics/position.ts";

/** What a Deployment (or Pod, StatefulSet, Job, ...) says about the pods it makes. */
export interface WorkloadSpec {
  readonly podLabels: Readonly<Record<string, string>>;
  readonly podAnnotations: Readonly<Record<string, string>>;
  /** How many pods there should be. */
  readonly replicas: number;
  readonly containerPorts: readonly ContainerPort[];
  readonly serviceAccount: string | undefined;
  /** True where the pods use the network of their node, so that no sidecar can be put into them. */
  readonly usesHostNetwork: boolean;
  /** Of a Pod that was read from a cluster. */
  readonly pod: PodStatus | undefined;
}

export interface ContainerPort {
  /** What a Service may call it by in `targetPort`. */
  readonly name: string | undefined;
  readonly number: number;
  readonly at: Position;
}

export interface PodStatus {
  readonly ip: string | undefined;
  readonly phase: "Pending" | "Running" | "Succeeded" | "Failed" | "Unknown" | undefined;
  /** From the condition `Ready`; undefined where there is none. */
  readonly isReady: boolean | undefined;
}
