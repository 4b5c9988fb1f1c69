import { asList, asObject, asText, type JsonObject } from "./json-value.ts";
import { ownRoutePrefix, type SiteObject } from "./site-object.ts";

/** What the name of a route of kirikae's own tells. */
export interface OwnRouteName {
  readonly kind: "preview" | "mirror";
  /** `namespace/name`. */
  readonly release: string;
}

/** `kirikae/<kind>/<namespace>.<release>/<n>`: a namespace has no dot, so that the two can be told apart. */
export function nameOwnRoute({ kind, release }: OwnRouteName, n: number): string {
  return `${ownRoutePrefix}${kind}/${release.replace("/", ".")}/${n}`;
}

/** Undefined for a name that is not of this form, whoever gave it. */
export function readOwnRouteName(name: string): OwnRouteName | undefined {
  const [, kind, release] = /(?:^|-)kirikae\/(preview|mirror)\/([^/]+)\/\d+(?:\.|$)/u.exec(name) ?? [];
  if ((kind !== "preview" && kind !== "mirror") || release === undefined) return undefined;
  return { kind, release: release.replace(".", "/") };
}

/** The rules in `spec.http`, as they are; none where there is no such list. */
export function httpRules({ spec }: Pick<SiteObject, "spec">): readonly JsonObject[] {
  return asList(asObject(spec)["http"]).map(asObject);
}

export function isOwnRule(rule: JsonObject): boolean {
  return asText(rule["name"])?.startsWith(ownRoutePrefix) ?? false;
}

/** The VirtualService without the routes that kirikae has laid; any other object, and one without such routes, is itself. */
export function stripOwnRoutes(object: SiteObject): SiteObject {
  if (object.kind !== "VirtualService" || !httpRules(object).some(isOwnRule)) return object;
  return { ...object, spec: { ...asObject(object.spec), http: httpRules(object).filter((rule) => !isOwnRule(rule)) } };
}
