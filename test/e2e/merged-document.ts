import type { JsonObject, JsonValue } from "@bufbuild/protobuf";
import { emitEnvoy } from "../../src/core/envoy/emit-envoy.ts";
import { renderStaticDocument } from "../../src/core/envoy/static-document.ts";
import type { RouteTable } from "../../src/core/routes/route-table.ts";

/** A case by its name, and what its manifests became. */
export interface NamedTable {
  readonly name: string;
  readonly table: RouteTable;
}

const replicas = () => [{ address: "127.0.0.1", port: 9999 }];

/**
 * One document of many tables, so that Envoy is started once for all: each listener has an address of its own, and the
 * clusters and listeners of a table have its name before theirs.
 */
export function mergeDocuments(tables: readonly NamedTable[]): JsonObject {
  let port = 1023;
  const bind = () => {
    port += 1;
    return { address: "127.0.0.1", port };
  };
  const documents = tables.map(({ name, table }) =>
    renameWithin(renderStaticDocument(emitEnvoy(table, { bind, endpoints: replicas })), name),
  );
  const withStream = documents.find(({ dynamicResources }) => dynamicResources !== undefined);
  const [first] = documents;
  return {
    ...(withStream ?? first),
    staticResources: {
      clusters: uniqueByName(documents.flatMap((document) => listOf(document, "clusters"))),
      listeners: documents.flatMap((document) => listOf(document, "listeners")),
    },
  };
}

/** Kirikae's own cluster, which leads to its stream, stays as it is and is in several documents. */
const streamCluster = /^kirikae/;

function renameWithin(document: JsonObject, prefix: string): JsonObject {
  const named = [...listOf(document, "clusters"), ...listOf(document, "listeners")].map(nameOf);
  const names = new Set(named.filter((name) => !streamCluster.test(name)));
  const rename = (value: JsonValue): JsonValue => {
    if (typeof value === "string") return names.has(value) ? `${prefix}/${value}` : value;
    if (Array.isArray(value)) return value.map(rename);
    if (typeof value !== "object" || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, rename(item)]));
  };
  const { staticResources = null, ...rest } = document;
  return { ...rest, staticResources: rename(staticResources) };
}

function listOf({ staticResources }: JsonObject, kind: "clusters" | "listeners"): readonly JsonValue[] {
  const list = isObject(staticResources) ? staticResources[kind] : undefined;
  return Array.isArray(list) ? list : [];
}

function uniqueByName(items: readonly JsonValue[]): JsonValue[] {
  return [...new Map(items.map((item) => [nameOf(item), item])).values()];
}

function nameOf(item: JsonValue): string {
  const name = isObject(item) ? item["name"] : undefined;
  return typeof name === "string" ? name : "";
}

function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
