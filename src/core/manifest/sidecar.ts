import type { Position } from "../diagnostics/position.ts";
import type { ConnectionPool } from "./destination-rule.ts";
import type { ServerTls } from "./gateway.ts";
import type { Destination } from "./virtual-service.ts";

/** `networking.istio.io` Sidecar: which part of the mesh a workload's proxy knows, and how it is reached. */
export interface SidecarSpec {
  /** Labels of the workloads it is for; undefined is every workload of the namespace without a Sidecar of its own. */
  readonly workloadSelector: Readonly<Record<string, string>> | undefined;
  /** Empty: the proxy knows whatever is exported to its namespace. */
  readonly egress: readonly SidecarEgress[];
  readonly ingress: readonly SidecarIngress[];
  /** Undefined takes the mesh's own policy. */
  readonly outboundTrafficPolicy: SidecarOutboundPolicy | undefined;
  readonly inboundConnectionPool: ConnectionPool | undefined;
}

type CaptureMode = "DEFAULT" | "IPTABLES" | "NONE";

export interface SidecarPort {
  readonly number: number;
  readonly name: string;
  /** One of `portProtocols` in names.ts, in upper case. */
  readonly protocol: string;
}

export interface SidecarEgress {
  /** Undefined is for every port that no other entry names. */
  readonly port: SidecarPort | undefined;
  /** An IP address or `unix:///path`. */
  readonly bind: string | undefined;
  readonly captureMode: CaptureMode;
  /** Never empty; each `namespace/host`, with `*`, `.` or `~` as namespace and wildcards as host. */
  readonly hosts: readonly string[];
  readonly at: Position;
}

export interface SidecarIngress {
  readonly port: SidecarPort;
  readonly bind: string | undefined;
  readonly captureMode: CaptureMode;
  /** `127.0.0.1:8080`, `[::1]:8080`, `0.0.0.0:8080` or `unix:///path`; undefined is the same port of the workload. */
  readonly defaultEndpoint: string | undefined;
  readonly tls: ServerTls | undefined;
  readonly connectionPool: ConnectionPool | undefined;
  readonly at: Position;
}

export interface SidecarOutboundPolicy {
  readonly mode: "REGISTRY_ONLY" | "ALLOW_ANY";
  /** Where requests to hosts that nobody declares go, with ALLOW_ANY. */
  readonly egressProxy: Destination | undefined;
}
