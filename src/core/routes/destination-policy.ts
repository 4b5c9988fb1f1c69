import type {
  ConnectionPool,
  ConsistentHash,
  LoadBalancer,
  OutlierDetection,
  TrafficPolicy,
  TrafficPolicyBlocks,
} from "../manifest/destination-rule.ts";
import type { DestinationPolicy, HashKey, OutlierPolicy } from "./route-table.ts";

const defaultConnectTimeoutMs = 10_000;
const defaultRingSize = 1024;

/** Where a policy is looked for, from the weakest to the strongest. */
export interface PolicySources {
  readonly rule: TrafficPolicy | undefined;
  readonly subset: TrafficPolicy | undefined;
  readonly port: number;
}

/**
 * The policy for one port of one destination. Settings for the port replace all blocks of the rule, also with
 * nothing; a subset replaces block by block; settings for the port within a subset replace all blocks again.
 * Source: Istio `pilot/pkg/networking/util/util.go`, MergeSubsetTrafficPolicy.
 */
export function resolvePolicyBlocks({ rule, subset, port }: PolicySources): TrafficPolicyBlocks {
  const base = forPort(rule, port) ?? rule ?? noBlocks;
  if (subset === undefined) {
    return base;
  }
  return (
    forPort(subset, port) ?? {
      loadBalancer: subset.loadBalancer ?? base.loadBalancer,
      connectionPool: subset.connectionPool ?? base.connectionPool,
      outlierDetection: subset.outlierDetection ?? base.outlierDetection,
      tls: subset.tls ?? base.tls,
    }
  );
}

/** Blocks as numbers that a proxy can take; 0 counts as not set, and what is not set has Istio's default. */
export function buildDestinationPolicy(blocks: TrafficPolicyBlocks): DestinationPolicy {
  return {
    loadBalancer: loadBalancer(blocks.loadBalancer),
    ...connectionLimits(blocks.connectionPool),
    outlierDetection: blocks.outlierDetection === undefined ? undefined : outlierPolicy(blocks.outlierDetection),
  };
}

function connectionLimits(
  pool: ConnectionPool | undefined,
): Omit<DestinationPolicy, "loadBalancer" | "outlierDetection"> {
  return {
    connectTimeoutMs: positive(pool?.connectTimeoutMs) ?? defaultConnectTimeoutMs,
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
  return pool?.h2UpgradePolicy === "UPGRADE";
}

const noBlocks: TrafficPolicyBlocks = {
  loadBalancer: undefined,
  connectionPool: undefined,
  outlierDetection: undefined,
  tls: undefined,
};

function forPort(policy: TrafficPolicy | undefined, port: number): TrafficPolicyBlocks | undefined {
  return policy?.portLevelSettings.find((entry) => entry.port === port);
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
        return { kind: "roundRobin" };
      case "LEAST_REQUEST":
        return { kind: "leastRequest" };
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

function hashKey(key: ConsistentHash["key"]): HashKey {
  return key.kind === "cookie" ? { ...key, path: key.path ?? "" } : key;
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
