import type { UpstreamTls } from "./route-table-tls.ts";

/** Resolved: every inheritance is done. Undefined means no limit, or the proxy's default where it says so. */
export interface DestinationPolicy {
  readonly loadBalancer:
    | { readonly kind: "roundRobin" | "leastRequest"; readonly warmup?: Warmup | undefined }
    | { readonly kind: "random" }
    | { readonly kind: "ringHash"; readonly minimumRingSize: number; readonly key: HashKey }
    | { readonly kind: "maglev"; readonly tableSize: number | undefined; readonly key: HashKey };
  readonly connectTimeoutMs: number;
  readonly maxConnections: number | undefined;
  readonly maxPendingRequests: number | undefined;
  readonly maxRequests: number | undefined;
  readonly maxRetries: number | undefined;
  readonly maxRequestsPerConnection: number | undefined;
  readonly maxConcurrentStreams: number | undefined;
  readonly maxConnectionDurationMs: number | undefined;
  readonly idleTimeoutMs: number | undefined;
  readonly usesClientProtocol: boolean;
  readonly outlierDetection: OutlierPolicy | undefined;
  readonly tcpKeepalive?: TcpKeepalive | undefined;
  readonly http2Keepalive?: { readonly intervalMs: number; readonly timeoutMs: number } | undefined;
  /** Undefined speaks plain text. */
  readonly tls?: UpstreamTls | undefined;
  /** Which version of the PROXY protocol announces the caller; undefined for none. */
  readonly proxyProtocol?: "v1" | "v2" | undefined;
  /** Shares are drawn by locality first. */
  readonly usesLocalityWeights?: boolean | undefined;
  /** How many retries there may be at once, as a share of the requests under way; it replaces `maxRetries`. */
  readonly retryBudget?: { readonly percent: number; readonly minRetryConcurrency: number } | undefined;
}

/** A new endpoint gets its full share only after a while. */
export interface Warmup {
  readonly durationMs: number;
  readonly minimumPercent: number;
  readonly aggression: number;
}

export interface TcpKeepalive {
  readonly probes: number | undefined;
  readonly timeMs: number | undefined;
  readonly intervalMs: number | undefined;
}

export type HashKey =
  | { readonly kind: "header"; readonly name: string }
  | {
      readonly kind: "cookie";
      readonly name: string;
      readonly path: string;
      readonly ttlMs: number | undefined;
      readonly attributes?: readonly (readonly [name: string, value: string])[] | undefined;
    }
  | { readonly kind: "sourceIp" }
  | { readonly kind: "query"; readonly name: string };

export interface OutlierPolicy {
  readonly consecutive5xx: number | undefined;
  readonly consecutiveGatewayFailure: number | undefined;
  readonly consecutiveLocalOriginFailure: number | undefined;
  readonly splitsLocalOriginErrors: boolean;
  readonly intervalMs: number | undefined;
  readonly baseEjectionTimeMs: number | undefined;
  readonly maxEjectionPercent: number | undefined;
  readonly minHealthPercent: number;
}
