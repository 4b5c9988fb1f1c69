import { create } from "@bufbuild/protobuf";
import { anyPack } from "@bufbuild/protobuf/wkt";
import { type Listener as EnvoyListener, ListenerSchema } from "../../gen/envoy/config/listener/v3/listener_pb.ts";
import { RouterSchema } from "../../gen/envoy/extensions/filters/http/router/v3/router_pb.ts";
import { HttpConnectionManagerSchema } from "../../gen/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.ts";
import type { Listener } from "../routes/route-table.ts";
import { emitLedgerLog } from "./access-log.ts";
import { emitAdsSource } from "./config-sources.ts";
import { emitDuration } from "./duration.ts";
import { emitSocketAddress, type HostPort } from "./endpoints.ts";

/** Emits a listener that takes its routes, by RDS, from the configuration with its own id as name. */
export function emitListener(listener: Listener, bind: HostPort): EnvoyListener {
  return create(ListenerSchema, {
    name: listener.id,
    address: emitSocketAddress(bind),
    filterChains: [
      {
        filters: [
          {
            name: "envoy.filters.network.http_connection_manager",
            configType: {
              case: "typedConfig",
              value: anyPack(HttpConnectionManagerSchema, emitConnectionManager(listener)),
            },
          },
        ],
      },
    ],
  });
}

/** The settings of an Istio gateway: pilot/pkg/networking/core/gateway.go and listener_builder.go. */
function emitConnectionManager(listener: Listener) {
  return create(HttpConnectionManagerSchema, {
    statPrefix: listener.id,
    routeSpecifier: { case: "rds", value: { configSource: emitAdsSource(), routeConfigName: listener.id } },
    useRemoteAddress: true,
    normalizePath: true,
    mergeSlashes: false,
    streamIdleTimeout: emitDuration(0),
    upgradeConfigs: [{ upgradeType: "websocket" }],
    accessLog: [emitLedgerLog()],
    httpFilters: [emitRouter()],
  });
}

export function emitRouter() {
  return {
    name: "envoy.filters.http.router",
    configType: { case: "typedConfig" as const, value: anyPack(RouterSchema, create(RouterSchema)) },
  };
}
