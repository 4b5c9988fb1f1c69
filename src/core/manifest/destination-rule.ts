import type { Position } from "../diagnostics/position.ts";

/** `networking.istio.io` DestinationRule. */
export interface DestinationRuleSpec {
  readonly host: string;
  readonly trafficPolicy: TrafficPolicy | undefined;
  readonly subsets: readonly Subset[];
  readonly exportTo: readonly string[];
}

export interface Subset {
  readonly name: string;
  /** Endpoints belong to the subset when they carry all of these. */
  readonly labels: Readonly<Record<string, string>>;
  readonly trafficPolicy: TrafficPolicy | undefined;
  readonly at: Position;
}

/** An absent block is inherited; see field notes of Istio's `cluster_traffic_policy.go`. */
export interface TrafficPolicy extends TrafficPolicyBlocks {
  readonly portLevelSettings: readonly PortTrafficPolicy[];
}

export interface PortTrafficPolicy extends TrafficPolicyBlocks {
  readonly port: number;
}

export interface TrafficPolicyBlocks {
  readonly loadBalancer: LoadBalancer | undefined;
  readonly connectionPool: ConnectionPool | undefined;
  readonly outlierDetection: OutlierDetection | undefined;
}

export type LoadBalancer =
  | { readonly kind: "simple"; readonly simple: "ROUND_ROBIN" | "LEAST_REQUEST" | "RANDOM" }
  | { readonly kind: "consistentHash"; readonly hash: ConsistentHash };

export interface ConsistentHash {
  readonly key:
    | { readonly kind: "header"; readonly name: string }
    | {
        readonly kind: "cookie";
        readonly name: string;
        readonly path: string | undefined;
        readonly ttlMs: number | undefined;
      }
    | { readonly kind: "sourceIp" }
    | { readonly kind: "query"; readonly name: string };
  readonly algorithm:
    | { readonly kind: "ringHash"; readonly minimumRingSize: number | undefined }
    | { readonly kind: "maglev"; readonly tableSize: number | undefined };
}

/** An absent number leaves Istio's default: no limit, connect timeout 10 s. */
export interface ConnectionPool {
  readonly maxConnections: number | undefined;
  readonly connectTimeoutMs: number | undefined;
  readonly tcpIdleTimeoutMs: number | undefined;
  readonly maxConnectionDurationMs: number | undefined;
  readonly http1MaxPendingRequests: number | undefined;
  readonly http2MaxRequests: number | undefined;
  readonly maxRequestsPerConnection: number | undefined;
  readonly maxRetries: number | undefined;
  readonly httpIdleTimeoutMs: number | undefined;
  readonly maxConcurrentStreams: number | undefined;
  readonly h2UpgradePolicy: "DEFAULT" | "DO_NOT_UPGRADE" | "UPGRADE" | undefined;
  readonly useClientProtocol: boolean;
}

export interface OutlierDetection {
  readonly consecutive5xxErrors: number | undefined;
  readonly consecutiveGatewayErrors: number | undefined;
  readonly consecutiveLocalOriginFailures: number | undefined;
  readonly splitExternalLocalOriginErrors: boolean;
  readonly intervalMs: number | undefined;
  readonly baseEjectionTimeMs: number | undefined;
  readonly maxEjectionPercent: number | undefined;
  readonly minHealthPercent: number | undefined;
}
