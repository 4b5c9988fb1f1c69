import type {
  ConnectionPool,
  ConsistentHash,
  LoadBalancer,
  OutlierDetection,
  TrafficPolicy,
  TrafficPolicyBlocks,
} from "../manifest/destination-rule.ts";
import { defaultMeshConfig, type MeshConfig } from "../manifest/mesh-config.ts";
import type { DestinationPolicy, HashKey, OutlierPolicy, Warmup } from "./route-table-policy.ts";

const defaultRingSize = 1024;

/** Where a policy is looked for, from the weakest to the strongest. */
export interface PolicySources {
  readonly rule: TrafficPolicy | undefined;
  readonly subset: TrafficPolicy | undefined;
  readonly port: number;
}

/** The blocks that count for one port of one destination. */
export type ResolvedBlocks = TrafficPolicyBlocks & Pick<TrafficPolicy, "proxyProtocol" | "retryBudget">;

/**
 * The policy for one port of one destination. Settings for the port replace all blocks of the rule, also with
 * nothing; a subset replaces block by block; settings for the port within a subset replace all blocks again, except
 * what no port can have a setting for. Source: Istio `pilot/pkg/model/destination_rule.go`, MergeTrafficPolicy.
 */
export function resolvePolicyBlocks({ rule, subset, port }: PolicySources): ResolvedBlocks {
  const base = forPort(rule, port) ?? rule ?? noBlocks;
  if (subset === undefined) {
    return base;
  }
  const own = forPort(subset, port);
  if (own !== undefined) {
    return rule === undefined ? own : { ...own, proxyProtocol: base.proxyProtocol, retryBudget: base.retryBudget };
  }
  return {
    loadBalancer: subset.loadBalancer ?? base.loadBalancer,
    connectionPool: subset.connectionPool ?? base.connectionPool,
    outlierDetection: subset.outlierDetection ?? base.outlierDetection,
    tls: subset.tls ?? base.tls,
    proxyProtocol: subset.proxyProtocol ?? base.proxyProtocol,
    retryBudget: subset.retryBudget ?? base.retryBudget,
  };
}

/** Blocks as numbers that a proxy can take; 0 counts as not set, and what is not set has Istio's default. */
export function buildDestinationPolicy(
  blocks: ResolvedBlocks,
  { connectTimeoutMs }: Pick<MeshConfig, "connectTimeoutMs"> = defaultMeshConfig,
): DestinationPolicy {
  const { connectionPool: pool, outlierDetection, proxyProtocol, retryBudget } = blocks;
  return {
    loadBalancer: loadBalancer(blocks.loadBalancer),
    ...connectionLimits(pool, connectTimeoutMs),
    outlierDetection: outlierDetection === undefined ? undefined : outlierPolicy(outlierDetection),
    ...(pool?.tcpKeepalive === undefined ? {} : { tcpKeepalive: pool.tcpKeepalive }),
    ...http2Keepalive(pool),
    ...(proxyProtocol === undefined ? {} : { proxyProtocol: proxyProtocol === "V1" ? "v1" : "v2" }),
    ...(retryBudget === undefined ? {} : { retryBudget }),
  };
}

/** Both are needed; Envoy refuses one without the other. */
function http2Keepalive(pool: ConnectionPool | undefined): Pick<DestinationPolicy, "http2Keepalive"> {
  const intervalMs = positive(pool?.http2KeepAlive?.intervalMs);
  const timeoutMs = positive(pool?.http2KeepAlive?.timeoutMs);
  return intervalMs === undefined || timeoutMs === undefined ? {} : { http2Keepalive: { intervalMs, timeoutMs } };
}

function connectionLimits(
  pool: ConnectionPool | undefined,
  connectTimeoutMs: number,
): Omit<DestinationPolicy, "loadBalancer" | "outlierDetection"> {
  return {
    connectTimeoutMs: positive(pool?.connectTimeoutMs) ?? connectTimeoutMs,
    maxConnections: positive(pool?.maxConnections),
    maxPendingRequests: positive(pool?.http1MaxPendingRequests),
    maxRequests: positive(pool?.http2MaxRequests),
    maxRetries: positive(pool?.maxRetries),
    maxRequestsPerConnection: positive(pool?.maxRequestsPerConnection),
    maxConcurrentStreams: positive(pool?.maxConcurrentStreams),
    maxConnectionDurationMs: positive(pool?.maxConnectionDurationMs),
    idleTimeoutMs: positive(pool?.httpIdleTimeoutMs) ?? positive(pool?.tcpIdleTimeoutMs),
    usesClientProtocol: pool?.useClientProtocol ?? false,
  };
}

/** True when HTTP/2 is spoken although the port's protocol does not say so. */
export function upgradesToHttp2(pool: ConnectionPool | undefined): boolean {
  return pool?.h2UpgradePolicy === "UPGRADE" && !pool.useClientProtocol;
}

const nothing = { proxyProtocol: undefined, retryBudget: undefined };

const noBlocks: ResolvedBlocks = {
  loadBalancer: undefined,
  connectionPool: undefined,
  outlierDetection: undefined,
  tls: undefined,
  ...nothing,
};

function forPort(policy: TrafficPolicy | undefined, port: number): ResolvedBlocks | undefined {
  const found = policy?.portLevelSettings.find((entry) => entry.port === port);
  return found === undefined ? undefined : { ...found, ...nothing };
}

function positive(value: number | undefined): number | undefined {
  return value === undefined || value <= 0 ? undefined : value;
}

function loadBalancer(source: LoadBalancer | undefined): DestinationPolicy["loadBalancer"] {
  if (source === undefined) {
    return { kind: "leastRequest" };
  }
  if (source.kind === "simple") {
    switch (source.simple) {
      case "ROUND_ROBIN":
        return { kind: "roundRobin", ...warmup(source) };
      case "LEAST_REQUEST":
        return { kind: "leastRequest", ...warmup(source) };
      case "RANDOM":
        return { kind: "random" };
    }
  }
  const { key, algorithm } = source.hash;
  switch (algorithm.kind) {
    case "ringHash":
      return { kind: "ringHash", minimumRingSize: algorithm.minimumRingSize ?? defaultRingSize, key: hashKey(key) };
    case "maglev":
      return { kind: "maglev", tableSize: algorithm.tableSize, key: hashKey(key) };
  }
}

function warmup({ warmup: source }: LoadBalancer): { readonly warmup?: Warmup } {
  if (source === undefined) return {};
  const { durationMs, minimumPercent = 10, aggression = 1 } = source;
  return { warmup: { durationMs, minimumPercent, aggression } };
}

function hashKey(key: ConsistentHash["key"]): HashKey {
  if (key.kind !== "cookie") return key;
  const { attributes, ...cookie } = key;
  return { ...cookie, path: key.path ?? "", ...(attributes.length === 0 ? {} : { attributes }) };
}

function outlierPolicy(source: OutlierDetection): OutlierPolicy {
  return {
    consecutive5xx: source.consecutive5xxErrors,
    consecutiveGatewayFailure: source.consecutiveGatewayErrors,
    consecutiveLocalOriginFailure: source.consecutiveLocalOriginFailures,
    splitsLocalOriginErrors: source.splitExternalLocalOriginErrors,
    intervalMs: source.intervalMs,
    baseEjectionTimeMs: source.baseEjectionTimeMs,
    maxEjectionPercent: source.maxEjectionPercent,
    minHealthPercent: source.minHealthPercent ?? 0,
  };
}
