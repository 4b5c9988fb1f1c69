import type { ListenerSchema } from "../../gen/envoy/config/listener/v3/listener_pb.ts";
import { HttpConnectionManagerSchema } from "../../gen/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.ts";
import { splitHeader } from "../routes/copied-destination.ts";
import { emitDuration } from "./duration.ts";
import { emitExtension } from "./extension.ts";
import { emitRouter } from "./http-filters.ts";
import type { Init } from "./init.ts";
import { copyTargetHeader } from "./names.ts";

const name = "kirikae_copies";

/** How long a version may take to answer a copy, unless kirikae gives it up before. */
const copyTimeoutMs = 15_000;

/**
 * A private listener through which kirikae sends a copied request to the cluster that a header names: so it goes with
 * the TLS, the protocol and the limits of that cluster, and nothing of it passes a listener or a route of a manifest.
 * What a rule does to a request was done before it was copied, so that headers, host and path go on as they are.
 */
export function emitCopyListener(path: string): Init<typeof ListenerSchema> {
  return {
    name,
    statPrefix: name,
    address: { address: { case: "pipe", value: { path, mode: 0o600 } } },
    ignoreGlobalConnLimit: true,
    filterChains: [
      {
        filters: [
          emitExtension("envoy.filters.network.http_connection_manager", HttpConnectionManagerSchema, emitManager()),
        ],
      },
    ],
  };
}

function emitManager(): Init<typeof HttpConnectionManagerSchema> {
  return {
    statPrefix: name,
    useRemoteAddress: false,
    generateRequestId: false,
    skipXffAppend: true,
    routeSpecifier: {
      case: "routeConfig",
      value: {
        name,
        virtualHosts: [
          {
            name,
            domains: ["*"],
            requestHeadersToRemove: [copyTargetHeader, splitHeader],
            routes: [
              {
                match: { pathSpecifier: { case: "prefix", value: "/" } },
                action: {
                  case: "route",
                  value: {
                    clusterSpecifier: { case: "clusterHeader", value: copyTargetHeader },
                    timeout: emitDuration(copyTimeoutMs),
                  },
                },
              },
            ],
          },
        ],
      },
    },
    httpFilters: [emitRouter()],
  };
}
