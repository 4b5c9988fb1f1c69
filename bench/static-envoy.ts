import type { Backends } from "./backends.ts";
import { benchHost } from "./front.ts";

/** What a person would write into a file for the same routes. */
export type StaticVariant =
  /** Also what a gateway of Istio does with them: forwarded-for, normalized paths, retries, no limits, weights. */
  | "same behaviour"
  /** Routes and clusters, and nothing else. */
  | "bare";

export function staticEnvoyYaml(port: number, backends: Backends, variant: StaticVariant): string {
  const isBare = variant === "bare";
  const routes = isBare ? "route: { cluster: blue }" : weightedRoute("blue");
  const preview = isBare ? "route: { cluster: green }" : weightedRoute("green");
  const gateway = `use_remote_address: true
          normalize_path: true
          stream_idle_timeout: 0s
          upgrade_configs: [{ upgrade_type: websocket }]`;
  return `static_resources:
  listeners:
  - name: gateway
    address: { socket_address: { address: 127.0.0.1, port_value: ${port} } }
    filter_chains:
    - filters:
      - name: envoy.filters.network.http_connection_manager
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
          stat_prefix: gateway
          ${isBare ? "" : gateway}
          route_config:
            virtual_hosts:
            - name: sample
              domains: [${benchHost}]
              routes:
              - match: { prefix: /, headers: [{ name: x-version, string_match: { exact: green } }] }
                ${preview}
              - match: { prefix: / }
                ${routes}
          http_filters:
          - name: envoy.filters.http.router
            typed_config: { "@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router }
  clusters:
${clusterYaml("blue", backends, isBare)}${clusterYaml("green", backends, isBare)}`;
}

function weightedRoute(live: "blue" | "green"): string {
  const weight = (name: string): string => `{ name: ${name}, weight: ${name === live ? 100 : 0} }`;
  const previousHosts =
    "{ name: envoy.retry_host_predicates.previous_hosts, typed_config: " +
    '{ "@type": type.googleapis.com/envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate } }';
  const retries =
    '{ retry_on: "connect-failure,refused-stream,unavailable,cancelled,retriable-status-codes", num_retries: 2, ' +
    `host_selection_retry_max_attempts: 5, retry_host_predicate: [${previousHosts}] }`;
  return `route:
                  weighted_clusters: { clusters: [${weight("blue")}, ${weight("green")}] }
                  timeout: 0s
                  retry_policy: ${retries}`;
}

function clusterYaml(name: "blue" | "green", backends: Backends, isBare: boolean): string {
  const noLimit = 4_294_967_295;
  const limits = `circuit_breakers: { thresholds: [{ max_connections: ${noLimit}, max_pending_requests: ${noLimit}, max_requests: ${noLimit}, max_retries: ${noLimit} }] }
    lb_policy: LEAST_REQUEST`;
  return `  - name: ${name}
    type: STATIC
    connect_timeout: 10s
    ${isBare ? "" : limits}
    load_assignment:
      cluster_name: ${name}
      endpoints:
      - lb_endpoints:
        - endpoint: { address: { socket_address: { address: 127.0.0.1, port_value: ${backends.port[name]} } } }
`;
}
