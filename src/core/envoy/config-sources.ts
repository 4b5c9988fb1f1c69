import { ApiVersion, type ConfigSourceSchema } from "../../gen/envoy/config/core/v3/config_source_pb.ts";
import type { GrpcServiceSchema } from "../../gen/envoy/config/core/v3/grpc_service_pb.ts";
import { emitDuration } from "./duration.ts";
import { controlPlaneCluster } from "./names.ts";
import type { Init } from "./init.ts";

/** Everything comes over the one aggregated stream. Without a timeout Envoy waits rather than serve half a table. */
export function emitAdsSource(): Init<typeof ConfigSourceSchema> {
  return {
    configSourceSpecifier: { case: "ads", value: {} },
    initialFetchTimeout: emitDuration(0),
    resourceApiVersion: ApiVersion.V3,
  };
}

/** Envoy's default back-off left it alone for 8.7 s after kirikae was back; with these limits it is under 1 s. */
export function emitControlPlaneService(): Init<typeof GrpcServiceSchema> {
  return {
    targetSpecifier: {
      case: "envoyGrpc",
      value: {
        clusterName: controlPlaneCluster,
        retryPolicy: { retryBackOff: { baseInterval: emitDuration(100), maxInterval: emitDuration(1000) } },
      },
    },
  };
}
