import {
  HttpConnectionManager_ServerHeaderTransformation as ServerHeader,
  type HttpConnectionManagerSchema,
} from "../../gen/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.ts";
import type { RouteConfigurationSchema } from "../../gen/envoy/config/route/v3/route_pb.ts";
import type { InboundRoute, Listener } from "../routes/route-table.ts";
import { emitDuration } from "./duration.ts";
import { emitCallerDetails } from "./http-connections.ts";
import { emitInboundFilters } from "./http-filters.ts";
import type { Init } from "./init.ts";
import { emitRetry } from "./route-actions.ts";

/**
 * Emits what reads the HTTP that reaches a workload. Its one route is part of it, because no saved rule ever changes it,
 * and nothing is logged to the ledger, which has counted each request where the choice was made. The hop before has
 * dealt with the caller: its headers are passed on.
 * Source: Istio `pilot/pkg/networking/core/listener_inbound.go`, buildSidecarInboundHTTPOpts.
 */
export function emitInboundManager(
  { id, role }: Listener,
  route: InboundRoute,
): Init<typeof HttpConnectionManagerSchema> {
  return {
    statPrefix: id,
    routeSpecifier: { case: "routeConfig", value: emitInboundRoute(route) },
    ...emitCallerDetails(role),
    serverHeaderTransformation: ServerHeader.PASS_THROUGH,
    normalizePath: true,
    proxy100Continue: true,
    mergeSlashes: false,
    streamIdleTimeout: emitDuration(0),
    upgradeConfigs: [{ upgradeType: "websocket" }],
    httpFilters: emitInboundFilters(),
  };
}

/** Source: Istio `httproute.go`, buildSidecarInboundHTTPRouteConfig, and `route.go`, BuildDefaultHTTPInboundRoute. */
function emitInboundRoute({ destination, servicePort, retry }: InboundRoute): Init<typeof RouteConfigurationSchema> {
  return {
    name: destination,
    virtualHosts: [
      {
        name: `inbound|http|${servicePort}`,
        domains: ["*"],
        routes: [
          {
            name: "default",
            match: { pathSpecifier: { case: "prefix", value: "/" } },
            action: {
              case: "route",
              value: {
                clusterSpecifier: { case: "cluster", value: destination },
                timeout: emitDuration(0),
                // Without it the grpc-timeout of a request would count here, where its sender counts already.
                maxStreamDuration: { maxStreamDuration: emitDuration(0), grpcTimeoutHeaderMax: emitDuration(0) },
                ...(retry === undefined ? {} : { retryPolicy: emitRetry(retry) }),
              },
            },
          },
        ],
      },
    ],
    validateClusters: false,
  };
}
