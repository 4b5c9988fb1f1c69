import type { JsonObject, JsonValue } from "@bufbuild/protobuf";
import { emitBootstrapJson } from "./bootstrap.ts";
import { type EnvoyResources, renderEnvoyJson } from "./emit-envoy.ts";

/** Where the stream of a running `up` would be; nothing listens there while a document is looked at. */
const noSocket = "/run/kirikae/xds.sock";

/**
 * Everything a proxy would be sent, as one bootstrap that Envoy reads from a file: routes and endpoints stand where
 * their names stood. Certificates and keys are the exception; they stay names on kirikae's stream, because a key is
 * shown to nobody, and `envoy --mode validate` asks for none. What counts and moves requests while `up` runs, the access
 * log and the runtime layer, is left out: without it the document serves the weights that are written in it.
 */
export function renderStaticDocument(resources: EnvoyResources): JsonObject {
  const { clusters, endpoints, listeners, routes } = renderEnvoyJson(resources);
  const bootstrap = emitBootstrapJson({
    node: "kirikae-emit",
    sockets: { xds: noSocket, admin: noSocket, proof: noSocket },
  });
  const whole = isObject(bootstrap) ? bootstrap : {};
  const { dynamicResources, staticResources, layeredRuntime, node, statsFlushInterval, bootstrapExtensions } = whole;
  const assignments = indexBy(endpoints, "clusterName");
  const routings = indexBy(routes, "name");
  const usesStream = resources.secrets.length > 0;
  const stream = isObject(dynamicResources) ? (dynamicResources["adsConfig"] ?? null) : null;
  const ads = usesStream ? { adsConfig: stream } : undefined;
  const ownClusters = usesStream && isObject(staticResources) ? itemsOf(staticResources["clusters"]) : [];
  return {
    ...present({ node, statsFlushInterval, bootstrapExtensions }),
    staticResources: {
      clusters: [
        ...ownClusters,
        ...itemsOf(clusters).map((cluster) => withOwnStream(withEndpoints(cluster, assignments), stream)),
      ],
      listeners: itemsOf(listeners).map((listener) => withRoutes(listener, routings)),
    },
    ...(ads === undefined ? {} : { dynamicResources: ads }),
    layeredRuntime: { layers: staticLayers(layeredRuntime) },
  };
}

/** Without what the bootstrap does not have. */
function present(fields: Readonly<Record<string, JsonValue | undefined>>): JsonObject {
  return Object.fromEntries(
    Object.entries(fields).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
}

type Index = ReadonlyMap<JsonValue, JsonValue>;

/** Endpoints that a stream would bring are written into the cluster. */
function withEndpoints(cluster: JsonValue, assignments: Index): JsonValue {
  if (!isObject(cluster) || cluster["type"] !== "EDS") return cluster;
  const { edsClusterConfig: source, ...rest } = cluster;
  const name = (isObject(source) ? source["serviceName"] : undefined) ?? cluster["name"] ?? "";
  const loadAssignment = assignments.get(name) ?? { clusterName: name };
  return { ...rest, type: "STATIC", loadAssignment };
}

/**
 * Secrets of a cluster come over a stream of their own: while it validates, Envoy 1.40 has no aggregated stream yet when
 * it reads clusters, and ends with a segmentation fault.
 */
function withOwnStream(value: JsonValue, stream: JsonValue): JsonValue {
  if (Array.isArray(value)) return value.map((item) => withOwnStream(item, stream));
  if (!isObject(value)) return value;
  const { ads, ...rest } = value;
  const inner = Object.fromEntries(Object.entries(rest).map(([name, item]) => [name, withOwnStream(item, stream)]));
  return ads === undefined ? inner : { ...inner, apiConfigSource: stream };
}

/** Route configurations that a stream would bring are written in place of their names, however deep they stand. */
function withRoutes(value: JsonValue, routings: Index): JsonValue {
  if (Array.isArray(value)) return value.filter((item) => !isLedgerLog(item)).map((item) => withRoutes(item, routings));
  if (!isObject(value)) return value;
  const { rds, scopedRoutes, ...rest } = value;
  const inner = Object.fromEntries(Object.entries(rest).map(([name, item]) => [name, withRoutes(item, routings)]));
  const named = rds ?? scopedRoutes;
  if (!isObject(named)) return inner;
  const routing = routings.get(named["routeConfigName"] ?? named["name"] ?? "");
  return { ...inner, routeConfig: routing ?? { name: named["routeConfigName"] ?? null } };
}

/** The log by which `up` counts requests while it moves them. */
function isLedgerLog(item: JsonValue): boolean {
  if (!isObject(item) || !isObject(item["typedConfig"])) return false;
  const common = item["typedConfig"]["commonConfig"];
  return isObject(common) && common["logName"] === "kirikae";
}

function staticLayers(runtime: JsonValue | undefined): JsonValue[] {
  const layers = isObject(runtime) ? itemsOf(runtime["layers"]) : [];
  return layers.filter((layer) => isObject(layer) && layer["staticLayer"] !== undefined);
}

function indexBy(items: JsonValue | undefined, key: string): Index {
  return new Map(itemsOf(items).flatMap((item) => (isObject(item) ? [[item[key] ?? "", item] as const] : [])));
}

function itemsOf(value: JsonValue | undefined): JsonValue[] {
  return Array.isArray(value) ? value : [];
}

function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
