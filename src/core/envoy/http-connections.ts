import {
  HttpConnectionManager_ForwardClientCertDetails as ForwardDetails,
  type HttpConnectionManagerSchema,
} from "../../gen/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.ts";
import type { Listener, ListenerRole } from "../routes/route-table.ts";
import { emitLedgerLog } from "./access-log.ts";
import { emitAdsSource } from "./config-sources.ts";
import { emitDuration } from "./duration.ts";
import { emitHttpFilters } from "./http-filters.ts";
import type { Init } from "./init.ts";
import { probeReply } from "./probe.ts";
import { emitScopeLookup, type ScopeLookup } from "./scoped-routes.ts";

type ConnectionManagerInit = Init<typeof HttpConnectionManagerSchema>;

/**
 * Emits what reads HTTP from a connection, with the settings of Istio: pilot/pkg/networking/core/gateway.go and
 * listener_builder.go. The codec is found out, so that HTTP/1.1, HTTP/2 and with them gRPC come on one port.
 * @param routing the id of its routing, which says how routes are found
 */
export function emitConnectionManager(
  { id, role }: Listener,
  routing: string,
  options: { readonly usesRequestHosts: boolean; readonly scoped: ReadonlySet<string> },
): ConnectionManagerInit {
  const { filters, ...lookup } = options.scoped.has(routing) ? emitScopeLookup(routing) : emitWholeLookup(routing);
  return {
    statPrefix: id,
    ...lookup,
    ...emitCallerDetails(role),
    normalizePath: true,
    // A backend decides whether a large body may come, as with Istio: Envoy alone would ask for it at once.
    proxy100Continue: true,
    mergeSlashes: false,
    streamIdleTimeout: emitDuration(0),
    upgradeConfigs: [{ upgradeType: "websocket" }],
    accessLog: [emitLedgerLog()],
    localReplyConfig: probeReply,
    httpFilters: [...filters, ...emitHttpFilters(options)],
  };
}

function emitWholeLookup(routing: string): Pick<ScopeLookup, "filters"> & ConnectionManagerInit {
  return {
    routeSpecifier: { case: "rds", value: { configSource: emitAdsSource(), routeConfigName: routing } },
    filters: [],
  };
}

/** What the next hop is told about the caller. */
export function emitCallerDetails(role: ListenerRole): ConnectionManagerInit {
  switch (role.kind) {
    case "gateway":
      return {
        useRemoteAddress: true,
        // What a caller says about its own certificate is taken away, and what the proxy saw is put in its place.
        forwardClientCertDetails: ForwardDetails.SANITIZE_SET,
        setCurrentClientCertDetails: { subject: true, cert: true, uri: true, dns: true },
      };
    case "outboundHttp":
    case "outboundService":
      return { useRemoteAddress: false, forwardClientCertDetails: ForwardDetails.SANITIZE };
    case "inbound":
      // The hop before is another proxy of this machine, without a certificate of its own.
      return { useRemoteAddress: false, forwardClientCertDetails: ForwardDetails.ALWAYS_FORWARD_ONLY };
  }
}
