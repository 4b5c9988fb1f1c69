import { hashText } from "../routes/hash-text.ts";
import { asList, asObject, asText, type JsonObject, renderSorted } from "./json-value.ts";
import { ownRoutePrefix, type SiteObject } from "./site-object.ts";

/** What the name of a route of kirikae's own tells. */
export interface OwnRouteName {
  readonly kind: "preview" | "mirror";
  /** `namespace/name`. */
  readonly release: string;
}

/** One of the routes that are laid in an object. */
export interface NumberedRoute {
  /** Counted from 1 over the object. */
  readonly n: number;
  /** Without its name. */
  readonly route: JsonObject;
}

/**
 * `kirikae/<kind>/<namespace>.<release>/<n>-<fingerprint>`: a namespace has no dot, so that the two can be told apart. The
 * fingerprint is that of the whole route, because its name is all that a proxy shows of it that can be compared: a proxy
 * that shows the name has this route, and not the one that stood there before.
 */
export function nameOwnRoute({ kind, release }: OwnRouteName, { n, route }: NumberedRoute): string {
  return `${ownRoutePrefix}${kind}/${release.replace("/", ".")}/${n}-${hashText(renderSorted(route))}`;
}

/** Undefined for a name that is not of this form, whoever gave it. */
export function readOwnRouteName(name: string): OwnRouteName | undefined {
  const [, kind, release] = /(?:^|-)kirikae\/(preview|mirror)\/([^/]+)\/\d+(?:-[\da-z]+)?(?:\.|$)/u.exec(name) ?? [];
  if ((kind !== "preview" && kind !== "mirror") || release === undefined) return undefined;
  return { kind, release: release.replace(".", "/") };
}

/** The rules in `spec.http`, as they are; none where there is no such list. */
export function httpRules({ spec }: Pick<SiteObject, "spec">): readonly JsonObject[] {
  return asList(asObject(spec)["http"]).map(asObject);
}

/** Whether kirikae laid a rule of `spec.http`, by its name. */
export function isOwnRule(rule: JsonObject): boolean {
  return asText(rule["name"])?.startsWith(ownRoutePrefix) ?? false;
}

/** The VirtualService without the routes that kirikae has laid; any other object, and one without such routes, is itself. */
export function stripOwnRoutes(object: SiteObject): SiteObject {
  if (object.kind !== "VirtualService" || !httpRules(object).some(isOwnRule)) return object;
  return { ...object, spec: { ...asObject(object.spec), http: httpRules(object).filter((rule) => !isOwnRule(rule)) } };
}
