import { type EnvoyConfig, type Json, listAt, objectAt } from "./config-dump.ts";
import { intendedDifferences } from "./intended-differences.ts";
import { withoutDefaults } from "./without-defaults.ts";

/** Names, statistics and the way to the endpoints; the endpoints themselves are resolved. */
const leftOut = new Set([
  "@type",
  "name",
  "alt_stat_name",
  "observability_name",
  "metadata",
  "eds_cluster_config",
  "load_assignment",
  "typed_extension_protocol_options",
  "filters",
  ...intendedDifferences.flatMap(({ seenIn }) => (seenIn.kind === "clusterField" ? seenIn.names : [])),
]);
const httpOptions = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions";
/** A cluster without options speaks HTTP/1.1. */
const plainHttp = {
  "@type": `type.googleapis.com/${httpOptions}`,
  explicit_http_config: { http_protocol_options: {} },
};

/** How one cluster spreads requests, protects its endpoints and speaks to them. */
export function resolveCluster(cluster: Json, config: EnvoyConfig): unknown {
  const rest = Object.entries(cluster).filter(([field]) => !leftOut.has(field));
  const options = objectAt(objectAt(cluster, "typed_extension_protocol_options"), httpOptions);
  const byEds = config.assignments.get(String(objectAt(cluster, "eds_cluster_config")["service_name"]));
  return withoutDefaults({
    ...Object.fromEntries(rest),
    protocol: options["@type"] === undefined ? plainHttp : { common_http_protocol_options: {}, ...options },
    endpoints: resolveEndpoints(byEds ?? objectAt(cluster, "load_assignment")),
  });
}

function resolveEndpoints(assignment: Json): readonly string[] {
  return listAt(assignment, "endpoints")
    .flatMap((locality) => listAt(locality, "lb_endpoints"))
    .map((each) => {
      const address = objectAt(objectAt(objectAt(each, "endpoint"), "address"), "socket_address");
      return `${String(address["address"])}:${String(address["port_value"])} ${String(each["load_balancing_weight"] ?? 1)}`;
    })
    .toSorted();
}
