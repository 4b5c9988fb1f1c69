import type { Position } from "../diagnostics/position.ts";

/** The part of a Kubernetes Service that routing reads. */
export interface ServiceSpec {
  readonly ports: readonly ServicePort[];
  readonly selector: Readonly<Record<string, string>>;
  readonly type: "ClusterIP" | "NodePort" | "LoadBalancer" | "ExternalName";
  readonly externalName: string | undefined;
}

export interface ServicePort {
  readonly name: string | undefined;
  readonly number: number;
  /** A number, a container port's name, or undefined for the same as `number`. */
  readonly targetPort: number | string | undefined;
  readonly protocol: "TCP" | "UDP" | "SCTP";
  readonly appProtocol: string | undefined;
  readonly at: Position;
}

/** The labels that the pods of a Deployment (or Pod, StatefulSet, ...) carry, and how many there should be. */
export interface WorkloadSpec {
  readonly podLabels: Readonly<Record<string, string>>;
  readonly replicas: number;
}
