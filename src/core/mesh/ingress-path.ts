import type { IngressPath } from "../manifest/ingress.ts";
import type { UriMatch } from "../manifest/virtual-service.ts";

/** A path of an Ingress as a condition, with what its place among the others of its host depends on. */
export interface PathRule {
  /** Undefined takes every request. */
  readonly uri: UriMatch | undefined;
  /** In bytes, as written without what makes it a prefix; longer ones stand first. */
  readonly length: number;
}

/**
 * The condition that a path stands for; undefined where it is one that proxies refuse. A prefix ends at a slash, and one
 * slash at its own end does not count. A path of the type `ImplementationSpecific` is a prefix where it ends in `.*` or
 * `/*`, takes all where it is nothing else, and is exact otherwise, also where it looks like a regular expression.
 * Source: Istio `pilot/pkg/config/kube/ingress/virtualservices.go`, createFallbackStringMatch; `route.go`,
 * TranslateRouteMatch.
 */
export function buildPathRule({ path, pathType }: Pick<IngressPath, "path" | "pathType">): PathRule | undefined {
  switch (pathType) {
    case "Exact":
      return exact(path);
    case "Prefix":
      return prefix(path);
    case "ImplementationSpecific":
      return buildLegacyRule(path);
  }
}

function buildLegacyRule(path: string): PathRule | undefined {
  if (path === "" || path === "/*") return { uri: undefined, length: 0 };
  const suffix = [".*", "/*"].find((ending) => path.endsWith(ending));
  return suffix === undefined ? exact(path) : prefix(path.slice(0, -suffix.length));
}

function exact(path: string): PathRule {
  return { uri: { kind: "exact", value: path }, length: byteLength(path) };
}

/** What Envoy takes as a prefix that ends at a slash: no query, no fragment, no slash at the end (route_components.proto). */
const separable = /^[^?#]+[^?#/]$/;

function prefix(path: string): PathRule | undefined {
  const length = byteLength(path);
  if (path === "/") return { uri: { kind: "prefix", value: "/" }, length };
  const value = path.endsWith("/") ? path.slice(0, -1) : path;
  return separable.test(value) ? { uri: { kind: "pathPrefix", value }, length } : undefined;
}

function byteLength(text: string): number {
  return new TextEncoder().encode(text).length;
}

/** Longer paths first, and of one length exact ones; what is equal keeps its order. */
export function comparePathRules(one: PathRule, other: PathRule): number {
  return other.length - one.length || Number(isExact(other)) - Number(isExact(one));
}

function isExact({ uri }: PathRule): boolean {
  return uri?.kind === "exact";
}
