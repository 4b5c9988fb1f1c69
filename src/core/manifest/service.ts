import type { Position } from "../diagnostics/position.ts";

/** The part of a Kubernetes Service that routing reads; `exportTo` is in its annotations (`exportToOf`). */
export interface ServiceSpec {
  readonly ports: readonly ServicePort[];
  /** Empty selects nothing: the endpoints come from EndpointSlices or Endpoints. */
  readonly selector: Readonly<Record<string, string>>;
  readonly type: "ClusterIP" | "NodePort" | "LoadBalancer" | "ExternalName";
  readonly externalName: string | undefined;
  /** `clusterIP: None`: callers are given the pods' own addresses. */
  readonly isHeadless: boolean;
  /** Addresses of the Service itself; empty where the manifest leaves them to Kubernetes. */
  readonly clusterIps: readonly string[];
  readonly publishNotReadyAddresses: boolean;
  readonly trafficDistribution: "PreferClose" | "PreferSameZone" | "PreferSameNode" | undefined;
}

export interface ServicePort {
  readonly name: string | undefined;
  readonly number: number;
  /** A number, a container port's name, or undefined for the same as `number`. */
  readonly targetPort: number | string | undefined;
  readonly protocol: "TCP" | "UDP" | "SCTP";
  /** What the manifest says, where Kubernetes knows no such protocol; the port counts as TCP then. */
  readonly writtenProtocol?: string;
  readonly appProtocol: string | undefined;
  readonly at: Position;
}

/** Namespaces that a Service is exported to by its annotation; undefined is the mesh's default. */
export function exportToOf(metadata: {
  readonly annotations: Readonly<Record<string, string>>;
}): readonly string[] | undefined {
  const written = metadata.annotations["networking.istio.io/exportTo"]
    ?.split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "");
  return written === undefined || written.length === 0 ? undefined : written;
}
