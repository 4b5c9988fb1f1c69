import { createRegistry } from "@bufbuild/protobuf";
import { HttpGrpcAccessLogConfigSchema } from "../../gen/envoy/extensions/access_loggers/grpc/v3/als_pb.ts";
import { RouterSchema } from "../../gen/envoy/extensions/filters/http/router/v3/router_pb.ts";
import { HttpConnectionManagerSchema } from "../../gen/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.ts";
import { PreviousHostsPredicateSchema } from "../../gen/envoy/extensions/retry/host/previous_hosts/v3/previous_hosts_pb.ts";
import { HttpProtocolOptionsSchema } from "../../gen/envoy/extensions/upstreams/http/v3/http_protocol_options_pb.ts";

/** The messages that stand inside an Any; JSON needs them to show more than bytes. */
export const envoyTypes = createRegistry(
  HttpConnectionManagerSchema,
  HttpGrpcAccessLogConfigSchema,
  HttpProtocolOptionsSchema,
  PreviousHostsPredicateSchema,
  RouterSchema,
);
