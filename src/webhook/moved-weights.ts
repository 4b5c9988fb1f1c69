import { siteAnnotations } from "../core/site/site-object.ts";
import type { KubeObject } from "../kubernetes/kube-object.ts";
import type { AdmissionRequest } from "./admission-review.ts";

/**
 * Says where an edit changes weights that a running Release moves. It is no error: the release sees the edit and stops
 * by itself, and who edits may mean just that.
 */
export function findMovedWeights(request: AdmissionRequest, releases: readonly KubeObject[]): readonly string[] {
  const { object, oldObject } = request;
  if (oldObject?.kind !== "VirtualService" || writeWeights(object) === writeWeights(oldObject)) return [];
  const { name, namespace = "default" } = oldObject.metadata;
  return releases
    .filter((release) => isRunning(release) && routesOf(release).includes(`${namespace}/${name}`))
    .map(({ metadata }) => {
      const title = `${metadata.namespace ?? "default"}/${metadata.name}`;
      return `Release ${title} is moving the weights of ${namespace}/${name}: it stops when it sees this edit. Annotate it with ${siteAnnotations.order} to pause, abort or roll it back instead.`;
    });
}

function isRunning({ status }: KubeObject): boolean {
  const { startedAt, endedAt } = mappingOf(status);
  return startedAt !== undefined && endedAt === undefined;
}

function routesOf({ spec, metadata }: KubeObject): readonly string[] {
  return itemsOf(mappingOf(spec)["routes"]).map((route) => {
    const name = String(mappingOf(route)["virtualService"]);
    return name.includes("/") ? name : `${metadata.namespace ?? "default"}/${name}`;
  });
}

/** The shares of every rule, with what they are shares of. */
function writeWeights(object: KubeObject | undefined): string {
  const rules = itemsOf(mappingOf(object?.["spec"])["http"]);
  return JSON.stringify(rules.map((rule) => itemsOf(mappingOf(rule)["route"])));
}

function mappingOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? { ...value } : {};
}

function itemsOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
