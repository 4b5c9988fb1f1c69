import { create } from "@bufbuild/protobuf";
import { anyPack } from "@bufbuild/protobuf/wkt";
import type { AccessLogSchema } from "../../gen/envoy/config/accesslog/v3/accesslog_pb.ts";
import { ApiVersion } from "../../gen/envoy/config/core/v3/config_source_pb.ts";
import { HttpGrpcAccessLogConfigSchema } from "../../gen/envoy/extensions/access_loggers/grpc/v3/als_pb.ts";
import { emitControlPlaneService } from "./config-sources.ts";
import { emitDuration } from "./duration.ts";
import { ledgerRuntimeKey } from "./names.ts";
import type { Init } from "./init.ts";

/** A record of every request to kirikae while the ledger's runtime key is at 100; nothing, and no cost, at 0. */
export function emitLedgerLog(): Init<typeof AccessLogSchema> {
  return {
    name: "envoy.access_loggers.http_grpc",
    filter: {
      filterSpecifier: {
        case: "runtimeFilter",
        value: { runtimeKey: ledgerRuntimeKey, percentSampled: { numerator: 0 }, useIndependentRandomness: true },
      },
    },
    configType: {
      case: "typedConfig",
      value: anyPack(
        HttpGrpcAccessLogConfigSchema,
        create(HttpGrpcAccessLogConfigSchema, {
          commonConfig: {
            logName: "kirikae",
            transportApiVersion: ApiVersion.V3,
            grpcService: emitControlPlaneService(),
            bufferFlushInterval: emitDuration(50),
            bufferSizeBytes: 64 * 1024,
          },
        }),
      ),
    },
  };
}
