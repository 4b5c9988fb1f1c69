import type { SourceText } from "../manifest/manifest.ts";
import { isJsonObject, type JsonObject } from "./json-value.ts";
import { stripOwnRoutes } from "./own-routes.ts";
import { siteAnnotations, type SiteObject } from "./site-object.ts";

/** The line of the first rule of `spec.http` in the text of a VirtualService; each rule has a line of its own. */
const firstRuleLine = 2;

/**
 * A live object as a manifest: `buildMeshModel` reads it as it reads a file. The path is `Kind namespace/name`. Routes of
 * kirikae's own are left out, and so is what changes with each write although nothing that routes did, so that the same
 * rules give the same text.
 */
export function renderSiteSource(object: SiteObject): SourceText {
  const { metadata, kind } = object;
  const path = `${kind} ${metadata.namespace === undefined ? "" : `${metadata.namespace}/`}${metadata.name}`;
  return { path, text: renderText(stripOwnRoutes(object)) };
}

/** Which rule of `spec.http` stands at this line of a source; counts from 0, own routes left out. */
export function ruleAtLine(line: number): number {
  return line - firstRuleLine;
}

function renderText({ apiVersion, kind, metadata, spec, status, ...rest }: SiteObject): string {
  // A Pod's addresses and readiness are there; of all others nothing is read of it.
  const kept = kind === "Pod" ? { ...rest, status } : rest;
  const tail = { metadata: keepMetadata(metadata), ...kept };
  if (!isJsonObject(spec) || kind !== "VirtualService" || !Array.isArray(spec["http"])) {
    return JSON.stringify({ apiVersion, kind, spec, ...tail });
  }
  const { http, ...others } = spec;
  const rules = (http as readonly unknown[]).map((rule) => JSON.stringify(rule));
  const head = withoutBraces({ apiVersion, kind });
  const before = Object.keys(others).length === 0 ? "" : `${withoutBraces(others)},`;
  return `{${head},"spec":{${before}"http":[\n${rules.join(",\n")}\n]},${withoutBraces(tail)}}`;
}

function withoutBraces(object: JsonObject): string {
  return JSON.stringify(object).slice(1, -1);
}

const leftOutAnnotations: ReadonlySet<string> = new Set([
  "kubectl.kubernetes.io/last-applied-configuration",
  siteAnnotations.movedBy,
  siteAnnotations.movedAt,
  siteAnnotations.added,
]);

const keptFields = ["name", "namespace", "labels", "creationTimestamp", "ownerReferences"] as const;

function keepMetadata(metadata: SiteObject["metadata"]): JsonObject {
  const annotations = Object.entries(metadata.annotations ?? {}).filter(([key]) => !leftOutAnnotations.has(key));
  return {
    ...Object.fromEntries(keptFields.map((field) => [field, metadata[field]])),
    ...(annotations.length === 0 ? {} : { annotations: Object.fromEntries(annotations) }),
  };
}
