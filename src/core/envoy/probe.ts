import { HTTPFaultSchema } from "../../gen/envoy/extensions/filters/http/fault/v3/fault_pb.ts";
import type { HttpConnectionManagerSchema } from "../../gen/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.ts";
import { emitExtension } from "./extension.ts";
import type { Init } from "./init.ts";
import { probeHeader, probeStatus } from "./names.ts";
import { emitPercent } from "./percent.ts";

const hasProbeHeader = { name: probeHeader, headerMatchSpecifier: { case: "presentMatch" as const, value: true } };

/**
 * Ends a request that carries the probe's header once its route is known and before anything is sent on, so that a proxy
 * can be asked about a request without an app seeing it. It comes before the filters that a route can configure, and
 * has a name of its own, so that no route configures it.
 *
 * Anyone who reaches the listener may ask, which on one machine is loopback alone: what is told stands in the manifests
 * and in `emit`, nothing changes, and only the asker's own request ends. A page in a browser cannot send the header to
 * another site without that site's consent (CORS). A secret value would guard no more, and `emit` would have to print it.
 */
export const probeFilter = emitExtension("kirikae.probe", HTTPFaultSchema, {
  abort: { errorType: { case: "httpStatus", value: probeStatus }, percentage: emitPercent(100) },
  headers: [hasProbeHeader],
});

/** What a probe is told: the name of its route, the cluster that was drawn for it, and the path as routes saw it. */
export const probeReply: NonNullable<Init<typeof HttpConnectionManagerSchema>["localReplyConfig"]> = {
  mappers: [
    {
      filter: { filterSpecifier: { case: "headerFilter", value: { header: hasProbeHeader } } },
      bodyFormatOverride: {
        format: {
          case: "jsonFormat",
          value: { route: "%ROUTE_NAME%", cluster: "%UPSTREAM_CLUSTER_RAW%", path: "%REQ(:PATH)%" },
        },
      },
    },
  ],
};
