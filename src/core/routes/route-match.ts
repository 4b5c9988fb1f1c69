import type { HttpMatch, StringMatch } from "../manifest/virtual-service.ts";
import type { HeaderMatch, PathMatch, QueryMatch, RouteMatch, ValueMatch } from "./route-table.ts";

/** Every request. */
export const matchAll: RouteMatch = {
  path: { kind: "prefix", value: "/", ignoreCase: false },
  headers: [],
  query: [],
};

/**
 * The conditions of one match entry that a request can meet or not; port, gateways and source were decided before.
 * Source: Istio `pilot/pkg/networking/core/route/route.go`, TranslateRouteMatch.
 */
export function buildRouteMatch(match: HttpMatch): RouteMatch {
  return {
    path: pathMatch(match),
    headers: [...namedHeaders(match), ...pseudoHeaders(match)],
    query: Object.entries(match.queryParams)
      .map(([name, value]): QueryMatch => ({ name, value: valueMatch(value) }))
      .toSorted(byName),
  };
}

/** True for a match that takes every request: Istio sends nothing of a VirtualService after it, and sorts it last. */
export function isCatchAll({ path, headers, query }: RouteMatch): boolean {
  if (headers.length > 0 || query.length > 0) {
    return false;
  }
  return (path.kind === "prefix" && path.value === "/") || (path.kind === "regex" && path.value === ".*");
}

/** Every regular expression in a match, with the field that holds it. */
export function regexesOf({ path, headers, query }: RouteMatch): readonly { field: string; pattern: string }[] {
  const found: { field: string; pattern: string }[] = [];
  if (path.kind === "regex") {
    found.push({ field: "uri", pattern: path.value });
  }
  for (const { name, value } of headers) {
    if (value.kind === "regex") {
      found.push({ field: `header ${name}`, pattern: value.value });
    }
  }
  for (const { name, value } of query) {
    if (value.kind === "regex") {
      found.push({ field: `query parameter ${name}`, pattern: value.value });
    }
  }
  return found;
}

function pathMatch({ uri, ignoreUriCase }: HttpMatch): PathMatch {
  if (uri === undefined) {
    return matchAll.path;
  }
  switch (uri.kind) {
    case "regex":
      // Envoy ignores case_sensitive for a regular expression.
      return { kind: "regex", value: uri.value };
    case "pathPrefix":
      return { kind: "pathPrefix", value: uri.value };
    case "exact":
    case "prefix":
      return { kind: uri.kind, value: uri.value, ignoreCase: ignoreUriCase };
  }
}

function namedHeaders(match: HttpMatch): HeaderMatch[] {
  return [
    ...Object.entries(match.headers).map(([name, value]) => headerMatch(name, value, false)),
    ...Object.entries(match.withoutHeaders).map(([name, value]) => headerMatch(name, value, true)),
  ].toSorted(byName);
}

function pseudoHeaders({ method, authority, scheme }: HttpMatch): HeaderMatch[] {
  const found: HeaderMatch[] = [];
  for (const [name, value] of [
    [":method", method],
    [":authority", authority],
    [":scheme", scheme],
  ] as const) {
    if (value !== undefined) {
      found.push(headerMatch(name, value, false));
    }
  }
  return found;
}

function headerMatch(name: string, value: StringMatch, invert: boolean): HeaderMatch {
  return { name: name.toLowerCase(), value: valueMatch(value), invert };
}

function valueMatch(value: StringMatch): ValueMatch {
  // `*` is no regular expression; Istio reads it as "the header is there".
  return value.kind === "regex" && value.value === "*" ? { kind: "present" } : value;
}

function byName(left: { readonly name: string }, right: { readonly name: string }): number {
  if (left.name === right.name) {
    return 0;
  }
  return left.name < right.name ? -1 : 1;
}
