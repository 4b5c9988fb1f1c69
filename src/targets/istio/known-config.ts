import { KirikaeError } from "../../core/diagnostics/error.ts";
import { asList, asObject, type JsonObject } from "../../core/site/json-value.ts";
import type { KubeObject } from "../../kubernetes/kube-object.ts";
import type { IstiodPlace } from "./site-view.ts";

const timeoutMs = 10_000;

/**
 * Whether a replica of istiod has read these writes, by their resourceVersions: a proxy that moves over to it would be
 * given older routes otherwise. Source: Istio `pilot/pkg/xds/debug.go`, configz.
 */
export async function isConfigKnown(istiod: IstiodPlace, objects: readonly KubeObject[]): Promise<boolean> {
  if (objects.length === 0) return true;
  try {
    const all = asList(JSON.parse(await istiod.get("/debug/configz", { timeoutMs }))).map(asObject);
    return objects.every((object) => all.some((stored) => isAsNew(stored, object)));
  } catch (error) {
    if (error instanceof KirikaeError || error instanceof SyntaxError) return false;
    throw error;
  }
}

/** resourceVersions of one kind may be compared as numbers (Kubernetes 1.35, "Resource versions"). */
function isAsNew(stored: JsonObject, object: KubeObject): boolean {
  const { name, namespace, resourceVersion } = object.metadata;
  const metadata = asObject(stored["metadata"]);
  return (
    stored["kind"] === object.kind &&
    metadata["name"] === name &&
    metadata["namespace"] === namespace &&
    Number(metadata["resourceVersion"]) >= Number(resourceVersion)
  );
}
