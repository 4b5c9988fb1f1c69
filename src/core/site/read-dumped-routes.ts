import { asList, asObject, asText, type JsonObject } from "./json-value.ts";

/** One virtual host that a proxy has, with the routes that Istio made of VirtualServices. */
export interface DumpedHost {
  /** The name of the route configuration, such as `http.8080`. */
  readonly routing: string;
  /** That its name says: the server's of a Gateway, or the service's; undefined where it says none. */
  readonly port: number | undefined;
  /** As they are, ports included. */
  readonly domains: readonly string[];
  readonly routes: readonly DumpedRoute[];
}

export interface DumpedRoute {
  readonly name: string;
  /** `namespace/name` of the VirtualService; of a delegate's rule that of its root. */
  readonly virtualService: string;
  /** Weights by cluster; undefined for a redirect or an answer of the proxy's own. */
  readonly shares: ReadonlyMap<string, number> | undefined;
}

/**
 * Reads what Envoy's `/config_dump` shows, in whole or with `resource=dynamic_route_configs`, and what istiod's
 * `/debug/config_dump?proxyID=` does: the same messages, with names of fields in two spellings. What is not of that form
 * gives nothing. Sources: Envoy doc, operations/admin; Istio `pilot/pkg/networking/util/util.go`, BuildConfigInfoMetadata.
 */
export function readDumpedRoutes(dump: unknown): readonly DumpedHost[] {
  return asList(asObject(dump)["configs"]).map(asObject).flatMap(routeConfigsOf).flatMap(readConfig);
}

function routeConfigsOf(config: JsonObject): readonly JsonObject[] {
  const own = field(config, "route_config");
  if (own !== undefined) return [asObject(own)];
  return [...asList(field(config, "dynamic_route_configs")), ...asList(field(config, "static_route_configs"))].flatMap(
    (each) => [asObject(field(asObject(each), "route_config"))],
  );
}

function readConfig(config: JsonObject): readonly DumpedHost[] {
  const routing = asText(config["name"]) ?? "";
  return asList(field(config, "virtual_hosts"))
    .map(asObject)
    .map((host) => ({
      routing,
      port: portOf(asText(host["name"]) ?? ""),
      domains: asList(host["domains"]).filter((domain) => typeof domain === "string"),
      routes: asList(host["routes"]).flatMap((route) => readRoute(asObject(route))),
    }));
}

/** istiod names a virtual host `<domain>:<port>` (Istio `pkg/networking/util`, DomainName). */
function portOf(name: string): number | undefined {
  const [, digits] = /:(\d{1,5})$/u.exec(name) ?? [];
  return digits === undefined ? undefined : Number(digits);
}

/** Routes that no VirtualService says, such as those of a service that nobody has rules for, are left out. */
function readRoute(route: JsonObject): readonly DumpedRoute[] {
  const virtualService = readOrigin(asText(asObject(filterMetadata(route)["istio"])["config"]) ?? "");
  if (virtualService === undefined) return [];
  const action = route["route"];
  return [
    {
      name: asText(route["name"]) ?? "",
      virtualService,
      shares: action === undefined ? undefined : readShares(asObject(action)),
    },
  ];
}

function filterMetadata(route: JsonObject): JsonObject {
  return asObject(field(asObject(route["metadata"]), "filter_metadata"));
}

/** `/apis/networking.istio.io/v1alpha3/namespaces/<namespace>/virtual-service/<name>`, with the version of the day. */
function readOrigin(config: string): string | undefined {
  const [, namespace, name] = /\/namespaces\/([^/]+)\/virtual-service\/([^/]+)$/u.exec(config) ?? [];
  return namespace === undefined || name === undefined ? undefined : `${namespace}/${name}`;
}

/** Two shares of one cluster are one with both; a single cluster has all. */
function readShares(action: JsonObject): ReadonlyMap<string, number> {
  const single = asText(action["cluster"]);
  if (single !== undefined) return new Map([[single, 100]]);
  const shares = new Map<string, number>();
  for (const each of asList(asObject(field(action, "weighted_clusters"))["clusters"]).map(asObject)) {
    const name = asText(each["name"]);
    const { weight } = each;
    if (name === undefined || typeof weight !== "number" || weight <= 0) continue;
    shares.set(name, (shares.get(name) ?? 0) + weight);
  }
  return shares;
}

/** By its name in the schema, or as JSON spells it. */
function field(object: JsonObject, name: string): unknown {
  return object[name] ?? object[name.replaceAll(/_([a-z])/gu, (_whole, letter: string) => letter.toUpperCase())];
}
