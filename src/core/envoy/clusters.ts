import { create } from "@bufbuild/protobuf";
import { type Any, anyPack } from "@bufbuild/protobuf/wkt";
import type { CircuitBreakersSchema } from "../../gen/envoy/config/cluster/v3/circuit_breaker_pb.ts";
import {
  type Cluster,
  Cluster_DiscoveryType as DiscoveryType,
  Cluster_DnsLookupFamily as DnsLookupFamily,
  Cluster_LbPolicy as LbPolicy,
  ClusterSchema,
} from "../../gen/envoy/config/cluster/v3/cluster_pb.ts";
import type { OutlierDetectionSchema } from "../../gen/envoy/config/cluster/v3/outlier_detection_pb.ts";
import { HttpProtocolOptionsSchema } from "../../gen/envoy/extensions/upstreams/http/v3/http_protocol_options_pb.ts";
import type { Destination, DestinationId, DestinationPolicy, OutlierPolicy } from "../routes/route-table.ts";
import { emitAdsSource } from "./config-sources.ts";
import { emitDuration, emitOptionalDuration } from "./duration.ts";
import { emitEndpoints, type LocalEndpoints } from "./endpoints.ts";
import type { Init } from "./init.ts";

type ClusterInit = Init<typeof ClusterSchema>;

/** Envoy's own limit is 1,024; Istio lifts it, so that a manifest without limits has none. */
const noLimit = 2 ** 32 - 1;

/** Emits one destination. Addresses come by EDS, host names are resolved by Envoy. */
export function emitCluster(destination: Destination, local: LocalEndpoints): Cluster {
  const { policy } = destination;
  const { outlierDetection } = policy;
  return create(ClusterSchema, {
    name: destination.id,
    connectTimeout: emitDuration(policy.connectTimeoutMs),
    ...emitDiscovery(destination, local),
    ...emitLoadBalancer(policy),
    circuitBreakers: emitCircuitBreakers(policy),
    typedExtensionProtocolOptions: {
      "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": emitProtocolOptions(destination),
    },
    // Envoy sends to unhealthy endpoints when too few are healthy, unless the threshold is 0, as in Istio.
    commonLbConfig: { healthyPanicThreshold: { value: outlierDetection?.minHealthPercent ?? 0 } },
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
    case "logicalDns":
    case "requestHost":
    case "dns":
      return {
        clusterDiscoveryType: { case: "type", value: DiscoveryType.STRICT_DNS },
        dnsLookupFamily: DnsLookupFamily.V4_PREFERRED,
        dnsRefreshRate: emitDuration(60_000),
        respectDnsTtl: true,
        loadAssignment: emitEndpoints(destination, local),
      };
  }
}

function emitLoadBalancer({ loadBalancer }: DestinationPolicy): ClusterInit {
  switch (loadBalancer.kind) {
    case "roundRobin":
      return { lbPolicy: LbPolicy.ROUND_ROBIN };
    case "leastRequest":
      return { lbPolicy: LbPolicy.LEAST_REQUEST };
    case "random":
      return { lbPolicy: LbPolicy.RANDOM };
    case "ringHash":
      return {
        lbPolicy: LbPolicy.RING_HASH,
        lbConfig: { case: "ringHashLbConfig", value: { minimumRingSize: BigInt(loadBalancer.minimumRingSize) } },
      };
    case "maglev":
      return {
        lbPolicy: LbPolicy.MAGLEV,
        ...(loadBalancer.tableSize === undefined
          ? {}
          : { lbConfig: { case: "maglevLbConfig", value: { tableSize: BigInt(loadBalancer.tableSize) } } }),
      };
  }
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

function emitProtocolOptions({ protocol, policy }: Destination): Any {
  const http2ProtocolOptions =
    policy.maxConcurrentStreams === undefined ? {} : { maxConcurrentStreams: policy.maxConcurrentStreams };
  return anyPack(
    HttpProtocolOptionsSchema,
    create(HttpProtocolOptionsSchema, {
      commonHttpProtocolOptions: {
        idleTimeout: emitOptionalDuration(policy.idleTimeoutMs),
        maxConnectionDuration: emitOptionalDuration(policy.maxConnectionDurationMs),
        ...(policy.maxRequestsPerConnection === undefined
          ? {}
          : { maxRequestsPerConnection: policy.maxRequestsPerConnection }),
      },
      upstreamProtocolOptions: policy.usesClientProtocol
        ? { case: "useDownstreamProtocolConfig", value: { httpProtocolOptions: {}, http2ProtocolOptions } }
        : {
            case: "explicitHttpConfig",
            value: {
              protocolConfig:
                protocol === "http2"
                  ? { case: "http2ProtocolOptions", value: http2ProtocolOptions }
                  : { case: "httpProtocolOptions", value: {} },
            },
          },
    }),
  );
}

/** As Istio: pilot/pkg/networking/core/cluster_traffic_policy.go, 0 turns a criterion off and success rate is never used. */
function emitOutlierDetection(policy: OutlierPolicy): Init<typeof OutlierDetectionSchema> {
  return {
    enforcingSuccessRate: 0,
    ...emitConsecutive(policy),
    splitExternalLocalOriginErrors: policy.splitsLocalOriginErrors,
    interval: emitOptionalDuration(policy.intervalMs),
    baseEjectionTime: emitOptionalDuration(policy.baseEjectionTimeMs),
    ...(policy.maxEjectionPercent === undefined ? {} : { maxEjectionPercent: policy.maxEjectionPercent }),
  };
}

/** A criterion of 0 is turned off. */
function enforcing(count: number): number {
  return count > 0 ? 100 : 0;
}

function emitConsecutive(policy: OutlierPolicy): Init<typeof OutlierDetectionSchema> {
  const { consecutive5xx, consecutiveGatewayFailure, consecutiveLocalOriginFailure } = policy;
  return {
    ...(consecutive5xx === undefined ? {} : { consecutive5xx, enforcingConsecutive5xx: enforcing(consecutive5xx) }),
    ...(consecutiveGatewayFailure === undefined
      ? {}
      : {
          consecutiveGatewayFailure,
          enforcingConsecutiveGatewayFailure: enforcing(consecutiveGatewayFailure),
        }),
    ...(consecutiveLocalOriginFailure === undefined || !policy.splitsLocalOriginErrors
      ? {}
      : {
          consecutiveLocalOriginFailure,
          enforcingConsecutiveLocalOriginFailure: enforcing(consecutiveLocalOriginFailure),
        }),
  };
}
