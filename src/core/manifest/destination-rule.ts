import type { Position } from "../diagnostics/position.ts";

/** `networking.istio.io` DestinationRule. */
export interface DestinationRuleSpec {
  readonly host: string;
  readonly trafficPolicy: TrafficPolicy | undefined;
  readonly subsets: readonly Subset[];
  readonly exportTo: readonly string[];
  /** Labels of the client workloads in the rule's own namespace that it is for; undefined is for every client. */
  readonly workloadSelector: Readonly<Record<string, string>> | undefined;
  /** Where `host` is written. */
  readonly hostAt: Position;
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
  /** The PROXY protocol that announces the caller to the destination; undefined for none. */
  readonly proxyProtocol: "V1" | "V2" | undefined;
  readonly retryBudget: RetryBudget | undefined;
  /** Connections go through an HTTP proxy, which is told where they are meant to end. */
  readonly tunnel: TunnelSettings | undefined;
}

export interface TunnelSettings {
  readonly protocol: "CONNECT" | "POST";
  readonly targetHost: string;
  readonly targetPort: number;
}

/** How many retries there may be at once, beside the requests that are under way. */
export interface RetryBudget {
  /** 0 to 100; 20 where the manifest names none. */
  readonly percent: number;
  /** 3 where the manifest names none. */
  readonly minRetryConcurrency: number;
  /** How far back requests count as under way; undefined counts those of the moment alone. */
  readonly budgetIntervalMs: number | undefined;
}

export interface PortTrafficPolicy extends TrafficPolicyBlocks {
  readonly port: number;
}

export interface TrafficPolicyBlocks {
  readonly loadBalancer: LoadBalancer | undefined;
  readonly connectionPool: ConnectionPool | undefined;
  readonly outlierDetection: OutlierDetection | undefined;
  readonly tls: ClientTls | undefined;
}

/** How a proxy begins TLS with a destination. */
export interface ClientTls {
  readonly mode: "DISABLE" | "SIMPLE" | "MUTUAL" | "ISTIO_MUTUAL";
  /** Files; both with mode MUTUAL unless `credentialName` is set. */
  readonly clientCertificate: string | undefined;
  readonly privateKey: string | undefined;
  /** A file that the destination's certificate is verified with. */
  readonly caCertificates: string | undefined;
  /** A file with certificates that were revoked. */
  readonly caCrl: string | undefined;
  /** A Secret (or a ConfigMap with `ca.crt`) in the place of files; read at gateways, and with a workloadSelector. */
  readonly credentialName: string | undefined;
  readonly subjectAltNames: readonly string[];
  readonly sni: string | undefined;
  /** Undefined is Istio's default: verify where there is something to verify with. */
  readonly insecureSkipVerify: boolean | undefined;
  readonly at: Position;
}

export type LoadBalancer = LoadBalancerAlgorithm & {
  /** Undefined takes the Service's trafficDistribution, or the mesh's own setting. */
  readonly locality: LocalityLoadBalancing | undefined;
  readonly warmup: Warmup | undefined;
};

type LoadBalancerAlgorithm =
  | { readonly kind: "simple"; readonly simple: "ROUND_ROBIN" | "LEAST_REQUEST" | "RANDOM" }
  | { readonly kind: "consistentHash"; readonly hash: ConsistentHash };

/** Localities are `region`, `region/zone` or `region/zone/subzone`, each part `*` at the end for any. */
export interface LocalityLoadBalancing {
  /** Undefined where the manifest does not say; Istio then has it on. */
  readonly enabled: boolean | undefined;
  /** Shares of where requests from a locality go; percentages of one entry add up to 100. */
  readonly distribute: readonly { readonly from: string; readonly to: Readonly<Record<string, number>> }[];
  /** Regions that take over from one another. */
  readonly failover: readonly { readonly from: string; readonly to: string }[];
  /** Labels, or `label=value`, by which endpoints are near; the first that differs makes them farther. */
  readonly failoverPriority: readonly string[];
}

/** A new endpoint gets its full share only after a while. */
export interface Warmup {
  readonly durationMs: number;
  /** 0 to 100; Istio's default is 10. */
  readonly minimumPercent: number | undefined;
  /** Istio's default is 1. */
  readonly aggression: number | undefined;
}

export interface ConsistentHash {
  readonly key:
    | { readonly kind: "header"; readonly name: string }
    | {
        readonly kind: "cookie";
        readonly name: string;
        readonly path: string | undefined;
        readonly ttlMs: number | undefined;
        readonly attributes: readonly (readonly [name: string, value: string])[];
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
  /** 0 switches the timeout off. */
  readonly tcpIdleTimeoutMs: number | undefined;
  readonly maxConnectionDurationMs: number | undefined;
  readonly tcpKeepalive: TcpKeepalive | undefined;
  readonly http1MaxPendingRequests: number | undefined;
  readonly http2MaxRequests: number | undefined;
  readonly maxRequestsPerConnection: number | undefined;
  readonly maxRetries: number | undefined;
  readonly httpIdleTimeoutMs: number | undefined;
  readonly maxConcurrentStreams: number | undefined;
  readonly h2UpgradePolicy: "DEFAULT" | "DO_NOT_UPGRADE" | "UPGRADE" | undefined;
  readonly useClientProtocol: boolean;
  readonly http2KeepAlive: Http2KeepAlive | undefined;
}

/** Undefined is the operating system's default. */
export interface TcpKeepalive {
  readonly probes: number | undefined;
  readonly timeMs: number | undefined;
  readonly intervalMs: number | undefined;
}

export interface Http2KeepAlive {
  readonly intervalMs: number;
  readonly timeoutMs: number;
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
  /** Statuses that count as errors of the destination; empty is 500 and above. */
  readonly httpErrorCodes: readonly number[];
}
