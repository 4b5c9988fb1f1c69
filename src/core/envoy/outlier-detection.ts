import type { OutlierDetectionSchema } from "../../gen/envoy/config/cluster/v3/outlier_detection_pb.ts";
import type { OutlierPolicy } from "../routes/route-table-policy.ts";
import { emitOptionalDuration } from "./duration.ts";
import type { Init } from "./init.ts";

/** As Istio: pilot/pkg/networking/core/cluster_traffic_policy.go, 0 turns a criterion off and success rate is never used. */
export function emitOutlierDetection(policy: OutlierPolicy): Init<typeof OutlierDetectionSchema> {
  return {
    enforcingSuccessRate: 0,
    ...emitConsecutive(policy),
    // Envoy would eject by the rate of local failures too, once they are counted apart.
    ...(policy.splitsLocalOriginErrors
      ? { splitExternalLocalOriginErrors: true, enforcingLocalOriginSuccessRate: 0 }
      : {}),
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
    // Here alone 0 turns nothing off: Istio leaves Envoy's own 5 in place.
    ...(policy.splitsLocalOriginErrors && (consecutiveLocalOriginFailure ?? 0) > 0
      ? { consecutiveLocalOriginFailure, enforcingConsecutiveLocalOriginFailure: 100 }
      : {}),
  };
}
