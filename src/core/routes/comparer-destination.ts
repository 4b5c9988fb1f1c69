import type { Destination } from "./route-table.ts";

/**
 * kirikae itself, as a place that copies are sent to. Its limits are those of a place that must not hurt: copies beyond
 * them end in the proxy, and one that does not answer is given up at once.
 */
export function buildComparerDestination(socketPath: string): Destination {
  return {
    id: "kirikae|comparer",
    host: "kirikae",
    subset: undefined,
    port: 0,
    protocol: "http",
    resolution: "static",
    endpoints: [{ kind: "address", address: `unix://${socketPath}`, port: 0, weight: 1 }],
    policy: {
      loadBalancer: { kind: "roundRobin" },
      connectTimeoutMs: 1_000,
      maxConnections: 64,
      maxPendingRequests: 256,
      maxRequests: 256,
      maxRetries: 0,
      maxRequestsPerConnection: undefined,
      maxConcurrentStreams: undefined,
      maxConnectionDurationMs: undefined,
      idleTimeoutMs: undefined,
      usesClientProtocol: false,
      outlierDetection: undefined,
    },
  };
}
