import { create } from "@bufbuild/protobuf";
import type { CircuitBreakersSchema } from "../../gen/envoy/config/cluster/v3/circuit_breaker_pb.ts";
import {
  type Cluster,
  Cluster_DiscoveryType as DiscoveryType,
  Cluster_DnsLookupFamily as DnsLookupFamily,
  ClusterSchema,
} from "../../gen/envoy/config/cluster/v3/cluster_pb.ts";
import type { TcpKeepaliveSchema } from "../../gen/envoy/config/core/v3/address_pb.ts";
import type { Destination, DestinationId } from "../routes/route-table.ts";
import type { DestinationPolicy, TcpKeepalive } from "../routes/route-table-policy.ts";
import { emitAdsSource } from "./config-sources.ts";
import { emitDuration } from "./duration.ts";
import { emitEndpoints, type LocalEndpoints, resolveEndpoints } from "./endpoints.ts";
import type { Init } from "./init.ts";
import { emitLoadBalancer } from "./load-balancers.ts";
import { emitOutlierDetection } from "./outlier-detection.ts";
import { emitRequestHostType } from "./request-hosts.ts";
import { emitProtocolOptions } from "./upstream-protocol.ts";
import { emitTransportSocket } from "./upstream-tls.ts";

type ClusterInit = Init<typeof ClusterSchema>;

/** Envoy's own limit is 1,024; Istio lifts it, so that a manifest without limits has none. */
const noLimit = 2 ** 32 - 1;

/** Emits one destination. Addresses come by EDS, host names are resolved by Envoy. */
export function emitCluster(destination: Destination, local: LocalEndpoints): Cluster {
  const { policy } = destination;
  const { outlierDetection } = policy;
  const transportSocket = emitTransportSocket(destination);
  return create(ClusterSchema, {
    name: destination.id,
    connectTimeout: emitDuration(policy.connectTimeoutMs),
    ...emitDiscovery(destination, local),
    ...emitLoadBalancer(destination),
    circuitBreakers: emitCircuitBreakers(policy),
    typedExtensionProtocolOptions: {
      "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": emitProtocolOptions(destination),
    },
    ...(transportSocket === undefined ? {} : { transportSocket }),
    ...(policy.tcpKeepalive === undefined
      ? {}
      : { upstreamConnectionOptions: { tcpKeepalive: emitKeepalive(policy.tcpKeepalive) } }),
    commonLbConfig: {
      // Envoy sends to unhealthy endpoints when too few are healthy, unless the threshold is 0, as in Istio.
      healthyPanicThreshold: { value: outlierDetection?.minHealthPercent ?? 0 },
      ...(policy.usesLocalityWeights === true
        ? { localityConfigSpecifier: { case: "localityWeightedLbConfig", value: {} } }
        : {}),
    },
    ...(outlierDetection === undefined ? {} : { outlierDetection: emitOutlierDetection(outlierDetection) }),
  });
}

/**
 * A cluster without endpoints for a destination that a route names and nobody has declared. It answers 503, as Istio
 * does, where the bare name would make Envoy refuse the whole route configuration.
 */
export function emitPlaceholder(id: DestinationId): Cluster {
  return create(ClusterSchema, {
    name: id,
    clusterDiscoveryType: { case: "type", value: DiscoveryType.STATIC },
    connectTimeout: emitDuration(10_000),
  });
}

export function usesEds(destination: Destination): boolean {
  return destination.resolution === "static";
}

function emitDiscovery(destination: Destination, local: LocalEndpoints): ClusterInit {
  switch (destination.resolution) {
    case "static":
      return {
        clusterDiscoveryType: { case: "type", value: DiscoveryType.EDS },
        edsClusterConfig: { edsConfig: emitAdsSource(), serviceName: destination.id },
      };
    case "dns":
      return { ...lookups, ...emitNames(DiscoveryType.STRICT_DNS, destination, local) };
    case "logicalDns":
      // Envoy wants exactly one name; without it there is nothing to look up.
      return resolveEndpoints(destination, local).length === 1
        ? { ...lookups, ...emitNames(DiscoveryType.LOGICAL_DNS, destination, local) }
        : emitNames(DiscoveryType.STATIC, { ...destination, endpoints: [] }, local);
    case "requestHost":
      return { clusterDiscoveryType: { case: "clusterType", value: emitRequestHostType() } };
  }
}

const lookups: ClusterInit = {
  dnsLookupFamily: DnsLookupFamily.V4_PREFERRED,
  dnsRefreshRate: emitDuration(60_000),
  respectDnsTtl: true,
};

function emitNames(type: DiscoveryType, destination: Destination, local: LocalEndpoints): ClusterInit {
  return { clusterDiscoveryType: { case: "type", value: type }, loadAssignment: emitEndpoints(destination, local) };
}

/** Linux fails a socket whose limits are higher (net/tcp.h, MAX_TCP_KEEPIDLE and MAX_TCP_KEEPCNT). */
const longestKeepaliveSeconds = 32_767;
const mostKeepaliveProbes = 127;

/** In whole seconds, which is what a socket takes; no probes at all is not a number of probes. */
function emitKeepalive({ probes, timeMs, intervalMs }: TcpKeepalive): Init<typeof TcpKeepaliveSchema> {
  return {
    ...(probes === undefined || probes === 0 ? {} : { keepaliveProbes: Math.min(probes, mostKeepaliveProbes) }),
    ...(timeMs === undefined ? {} : { keepaliveTime: keepaliveSeconds(timeMs) }),
    ...(intervalMs === undefined ? {} : { keepaliveInterval: keepaliveSeconds(intervalMs) }),
  };
}

function keepaliveSeconds(ms: number): number {
  return Math.min(Math.max(1, Math.ceil(ms / 1000)), longestKeepaliveSeconds);
}

function emitCircuitBreakers(policy: DestinationPolicy): Init<typeof CircuitBreakersSchema> {
  return {
    thresholds: [
      {
        maxConnections: policy.maxConnections ?? noLimit,
        maxPendingRequests: policy.maxPendingRequests ?? noLimit,
        maxRequests: policy.maxRequests ?? noLimit,
        maxRetries: policy.maxRetries ?? noLimit,
      },
    ],
  };
}
