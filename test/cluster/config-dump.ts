import type { EnvoyAdmin } from "../../src/targets/local-envoy/admin.ts";

/** Any message of Envoy's as its admin interface prints it. */
export type Json = Readonly<Record<string, unknown>>;

/** What an Envoy has in use, by name. */
export interface EnvoyConfig {
  readonly listeners: readonly Json[];
  readonly clusters: ReadonlyMap<string, Json>;
  /** Load assignments that came by EDS, by the cluster that asked for them. */
  readonly assignments: ReadonlyMap<string, Json>;
  readonly routes: ReadonlyMap<string, Json>;
  /** Scoped route configurations: the scopes of each set, by its name. */
  readonly scopes: ReadonlyMap<string, readonly Json[]>;
}

export async function readConfig(admin: EnvoyAdmin): Promise<EnvoyConfig> {
  const dump = JSON.parse(await admin.get("/config_dump?include_eds")) as { readonly configs: readonly Json[] };
  const parts = (type: string, list: string): readonly Json[] =>
    dump.configs.filter((each) => String(each["@type"]).endsWith(`.${type}`)).flatMap((each) => listAt(each, list));
  const clusters = parts("ClustersConfigDump", "dynamic_active_clusters").map((each) => objectAt(each, "cluster"));
  const routes = parts("RoutesConfigDump", "dynamic_route_configs").map((each) => objectAt(each, "route_config"));
  const assignments = parts("EndpointsConfigDump", "dynamic_endpoint_configs")
    .concat(parts("EndpointsConfigDump", "static_endpoint_configs"))
    .map((each) => objectAt(each, "endpoint_config"));
  return {
    listeners: parts("ListenersConfigDump", "dynamic_listeners")
      .map((each) => objectAt(objectAt(each, "active_state"), "listener"))
      .filter((each) => each["name"] !== undefined),
    clusters: byName(clusters, "name"),
    assignments: byName(assignments, "cluster_name"),
    routes: byName(routes, "name"),
    scopes: new Map(
      parts("ScopedRoutesConfigDump", "dynamic_scoped_route_configs").map((each) => [
        String(each["name"]),
        listAt(each, "scoped_route_configs"),
      ]),
    ),
  };
}

function byName(list: readonly Json[], field: string): ReadonlyMap<string, Json> {
  return new Map(list.map((each) => [String(each[field]), each]));
}

/** An absent message is an empty one. */
export function objectAt(value: Json, field: string): Json {
  return (value[field] ?? {}) as Json;
}

/** An absent list is an empty one. */
export function listAt(value: Json, field: string): readonly Json[] {
  return (value[field] ?? []) as readonly Json[];
}

/** An absent text is an empty one. */
export function textAt(value: Json, field: string): string {
  const text = value[field];
  return typeof text === "string" ? text : "";
}
