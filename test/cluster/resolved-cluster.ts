import { type EnvoyConfig, type Json, listAt, objectAt, textAt } from "./config-dump.ts";
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
    transport_socket: resolveTls(objectAt(cluster, "transport_socket")),
    endpoints: resolveEndpoints(byEds ?? objectAt(cluster, "load_assignment")),
  });
}

/** What is verified and shown; under which name a proxy asks for a secret is not. */
function resolveTls(socket: Json): Json {
  const config = objectAt(socket, "typed_config");
  const context = objectAt(config, "common_tls_context");
  const combined = objectAt(context, "combined_validation_context");
  const validation = {
    ...objectAt(context, "validation_context"),
    ...objectAt(combined, "default_validation_context"),
  };
  const typed = listAt(validation, "match_typed_subject_alt_names").map((each) => objectAt(each, "matcher"));
  // The older form means every type of name, which the newer has one entry each for.
  const names = [...typed, ...listAt(validation, "match_subject_alt_names")].map((each) => JSON.stringify(each));
  return {
    sni: config["sni"],
    auto_host_sni: config["auto_host_sni"],
    parameters: context["tls_params"],
    protocols: context["alpn_protocols"],
    names: [...new Set(names)],
    verifies: combined["validation_context_sds_secret_config"] !== undefined || validation["trusted_ca"] !== undefined,
    shows: listAt(context, "tls_certificate_sds_secret_configs").length,
  };
}

function resolveEndpoints(assignment: Json): readonly string[] {
  return listAt(assignment, "endpoints")
    .flatMap((locality) => listAt(locality, "lb_endpoints"))
    .map((each) => {
      const address = objectAt(objectAt(objectAt(each, "endpoint"), "address"), "socket_address");
      const weight = Number(each["load_balancing_weight"] ?? 1);
      return `${textAt(address, "address")}:${Number(address["port_value"])} ${weight}`;
    })
    .toSorted();
}
