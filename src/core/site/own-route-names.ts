import { httpRules, readOwnRouteName } from "./own-routes.ts";
import type { SiteObject } from "./site-object.ts";

/** The names of the routes that kirikae has laid in a VirtualService, in their order. */
export function ownRouteNames(object: SiteObject): readonly string[] {
  return httpRules(object).flatMap(({ name }) =>
    typeof name === "string" && readOwnRouteName(name) !== undefined ? [name] : [],
  );
}

/** The releases (`namespace/name`) that have laid them. */
export function ownReleases(object: SiteObject): readonly string[] {
  return ownRouteNames(object).flatMap((name) => readOwnRouteName(name)?.release ?? []);
}
