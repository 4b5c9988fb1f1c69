import { parseAllDocuments } from "yaml";
import type { SourceText } from "../manifest/manifest.ts";
import { asList, asObject, asText, isJsonObject, type JsonObject } from "../site/json-value.ts";
import type { SiteObject } from "../site/site-object.ts";

/** The objects in files as `kubectl get -o yaml` or `-o json` prints them, Lists included. What is no object is left out. */
export function readObjects(sources: readonly SourceText[]): readonly SiteObject[] {
  return sources.flatMap(({ text }) => {
    const documents = parseAllDocuments(text, { version: "1.1", merge: true, logLevel: "silent" });
    if (!Array.isArray(documents)) return [];
    return documents.filter(({ errors }) => errors.length === 0).flatMap((document) => objectsIn(document.toJS()));
  });
}

function objectsIn(value: unknown): readonly SiteObject[] {
  if (!isJsonObject(value)) return [];
  const kind = asText(value["kind"]);
  if (kind?.endsWith("List") === true) return asList(value["items"]).flatMap(objectsIn);
  return isSiteObject(value) ? [value] : [];
}

function isSiteObject(value: JsonObject): value is SiteObject {
  return (
    asText(value["kind"]) !== undefined &&
    asText(value["apiVersion"]) !== undefined &&
    asText(asObject(value["metadata"])["name"]) !== undefined
  );
}
