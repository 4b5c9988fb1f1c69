import { isDeepStrictEqual } from "node:util";
import { type EnvoyConfig, type Json, listAt, objectAt } from "./config-dump.ts";
import { resolveRoute, resolveShares } from "./resolved-route.ts";
import { withoutDefaults } from "./without-defaults.ts";

type NameCluster = (name: string) => string;

/** HTTP filters that are there for kirikae itself; the second looks up hosts for callers inside the mesh. */
const ownFilters = new Set(["kirikae.probe", "envoy.filters.http.dynamic_forward_proxy"]);

/** Of a connection manager, what clients and backends can notice. */
const httpFields = [
  "use_remote_address",
  "forward_client_cert_details",
  "set_current_client_cert_details",
  "upgrade_configs",
  "stream_idle_timeout",
  "normalize_path",
  "merge_slashes",
  "path_with_escaped_slashes_action",
  "proxy_100_continue",
  "http2_protocol_options",
  "common_http_protocol_options",
  "strip_matching_host_port",
  "xff_num_trusted_hops",
] as const;

export function resolveFilterChain(chain: Json, config: EnvoyConfig, nameCluster: NameCluster): Json {
  const filters = listAt(chain, "filters").map((filter) => objectAt(filter, "typed_config"));
  const match = objectAt(chain, "filter_chain_match");
  const tls = objectAt(objectAt(chain, "transport_socket"), "typed_config");
  return {
    serverNames: ((match["server_names"] ?? []) as readonly string[]).toSorted(),
    tls: chain["transport_socket"] === undefined ? undefined : resolveTls(tls),
    filters: filters.map((filter) => resolveFilter(filter, config, nameCluster)),
  };
}

/** The modes and limits; certificates are compared by handshakes. */
function resolveTls(tls: Json): Json {
  const context = objectAt(tls, "common_tls_context");
  return withoutDefaults({
    requiresClient: tls["require_client_certificate"] ?? false,
    parameters: context["tls_params"],
    protocols: context["alpn_protocols"],
    certificates: listAt(context, "tls_certificate_sds_secret_configs").length,
    validates: context["combined_validation_context"] !== undefined || context["validation_context"] !== undefined,
  });
}

function resolveFilter(filter: Json, config: EnvoyConfig, nameCluster: NameCluster): Json {
  const type = String(filter["@type"]).split(".").at(-1);
  if (type === "TcpProxy") {
    return withoutDefaults({ type, shares: resolveShares(filter, nameCluster), idle: filter["idle_timeout"] });
  }
  if (type !== "HttpConnectionManager") return { type };
  const filters = listAt(filter, "http_filters").filter(({ name }) => !ownFilters.has(String(name)));
  return {
    type,
    settings: withoutDefaults(Object.fromEntries(httpFields.map((field) => [field, filter[field]]))),
    filters: filters.map((each) => String(objectAt(each, "typed_config")["@type"]).split(".").at(-1)),
    hosts: resolveHosts(findVirtualHosts(filter, config), nameCluster),
  };
}

/** However they are delivered: with the listener, by RDS, or one route configuration a scope. */
export function findVirtualHosts(filter: Json, config: EnvoyConfig): readonly Json[] {
  const own = objectAt(filter, "route_config");
  const scoped = objectAt(filter, "scoped_routes");
  const name = String(objectAt(filter, "rds")["route_config_name"]);
  const scopes = config.scopes.get(String(scoped["name"])) ?? [];
  const named = scopes.map((scope) => config.routes.get(String(scope["route_configuration_name"])) ?? {});
  return [own, config.routes.get(name) ?? {}, ...named].flatMap((each) => listAt(each, "virtual_hosts"));
}

/** Istio sends the routes of a VirtualService once for each Gateway on a port; only the first can be met. */
function withoutRepeated(routes: readonly unknown[]): readonly unknown[] {
  return routes.filter((route, at) => !routes.slice(0, at).some((earlier) => isDeepStrictEqual(earlier, route)));
}

/** The routes of each domain; several domains of one virtual host have the same. */
function resolveHosts(hosts: readonly Json[], nameCluster: NameCluster): Json {
  const byDomain: [string, unknown][] = [];
  for (const host of hosts) {
    const resolved = withoutDefaults({
      requiresTls: host["require_tls"],
      countsAttempts: host["include_request_attempt_count"],
      routes: withoutRepeated(listAt(host, "routes").map((route) => resolveRoute(route, nameCluster))),
    });
    // A virtual host without routes is a miss, as no virtual host is.
    const isEmpty = listAt(host, "routes").length === 0 && host["require_tls"] === undefined;
    for (const domain of isEmpty ? [] : ((host["domains"] ?? []) as readonly string[]))
      byDomain.push([domain, resolved]);
  }
  return Object.fromEntries(byDomain.toSorted(([left], [right]) => (left < right ? -1 : 1)));
}
