import type { Any } from "@bufbuild/protobuf/wkt";
import type { Http2ProtocolOptionsSchema } from "../../gen/envoy/config/core/v3/protocol_pb.ts";
import { HttpProtocolOptionsSchema } from "../../gen/envoy/extensions/upstreams/http/v3/http_protocol_options_pb.ts";
import type { Destination } from "../routes/route-table.ts";
import type { DestinationPolicy } from "../routes/route-table-policy.ts";
import { emitDuration, emitOptionalDuration } from "./duration.ts";
import { packSettings } from "./extension.ts";
import type { Init } from "./init.ts";
import { takesNamesFromRequests } from "./upstream-tls.ts";

type ProtocolInit = Init<typeof HttpProtocolOptionsSchema>;

/** Emits which HTTP a destination is spoken to, and what ends its connections. */
export function emitProtocolOptions(destination: Destination): Any {
  const { policy } = destination;
  const names = takesNamesFromRequests(policy);
  return packSettings(HttpProtocolOptionsSchema, {
    commonHttpProtocolOptions: {
      idleTimeout: emitOptionalDuration(policy.idleTimeoutMs),
      maxConnectionDuration: emitOptionalDuration(policy.maxConnectionDurationMs),
      ...(policy.maxRequestsPerConnection === undefined
        ? {}
        : { maxRequestsPerConnection: policy.maxRequestsPerConnection }),
    },
    ...(names.sni ? { upstreamHttpProtocolOptions: { autoSni: true, autoSanValidation: names.certificate } } : {}),
    upstreamProtocolOptions: emitProtocol(destination),
  });
}

function emitProtocol({ protocol, policy }: Destination): NonNullable<ProtocolInit["upstreamProtocolOptions"]> {
  const http2ProtocolOptions = emitHttp2(policy);
  if (policy.usesClientProtocol) {
    return { case: "useDownstreamProtocolConfig", value: { httpProtocolOptions: {}, http2ProtocolOptions } };
  }
  return {
    case: "explicitHttpConfig",
    value: {
      protocolConfig:
        protocol === "http2"
          ? { case: "http2ProtocolOptions", value: http2ProtocolOptions }
          : { case: "httpProtocolOptions", value: {} },
    },
  };
}

function emitHttp2({
  maxConcurrentStreams,
  http2Keepalive,
}: DestinationPolicy): Init<typeof Http2ProtocolOptionsSchema> {
  return {
    ...(maxConcurrentStreams === undefined ? {} : { maxConcurrentStreams }),
    ...(http2Keepalive === undefined
      ? {}
      : {
          connectionKeepalive: {
            interval: emitDuration(http2Keepalive.intervalMs),
            timeout: emitDuration(http2Keepalive.timeoutMs),
          },
        }),
  };
}
