import { CorsSchema } from "../../gen/envoy/extensions/filters/http/cors/v3/cors_pb.ts";
import { HTTPFaultSchema } from "../../gen/envoy/extensions/filters/http/fault/v3/fault_pb.ts";
import { FilterConfigSchema as GrpcStatsSchema } from "../../gen/envoy/extensions/filters/http/grpc_stats/v3/config_pb.ts";
import { RouterSchema } from "../../gen/envoy/extensions/filters/http/router/v3/router_pb.ts";
import { emitExtension, type Extension } from "./extension.ts";
import { corsFilterName, faultFilterName } from "./names.ts";
import { probeFilter } from "./probe.ts";
import { requestHostFilter } from "./request-hosts.ts";

/**
 * The filters of every HTTP chain, in Istio's order: pilot/pkg/networking/core/listener_builder.go. Faults and CORS do
 * nothing until a route says so, and are always there, so that a rule that gets one changes no listener. Before them
 * stands what answers a probe.
 */
export function emitHttpFilters({ usesRequestHosts }: { readonly usesRequestHosts: boolean }): Extension[] {
  return [probeFilter, grpcStats, fault, cors, ...(usesRequestHosts ? [requestHostFilter] : []), emitRouter()];
}

/** The filters before a workload: no rule has a fault or CORS there, and a probe has been answered before. */
export function emitInboundFilters(): Extension[] {
  return [grpcStats, emitRouter()];
}

const grpcStats = emitExtension("envoy.filters.http.grpc_stats", GrpcStatsSchema, {
  emitFilterState: true,
  perMethodStatSpecifier: { case: "statsForAllMethods", value: { value: false } },
});
const fault = emitExtension(faultFilterName, HTTPFaultSchema, {});
const cors = emitExtension(corsFilterName, CorsSchema, {});
const router = emitExtension("envoy.filters.http.router", RouterSchema, {});

export function emitRouter(): Extension {
  return router;
}
