import type {
  HeaderMatcherSchema,
  QueryParameterMatcherSchema,
  RouteMatchSchema,
} from "../../gen/envoy/config/route/v3/route_components_pb.ts";
import type { StringMatcherSchema } from "../../gen/envoy/type/matcher/v3/string_pb.ts";
import type { HeaderMatch, PathMatch, QueryMatch, RouteMatch, ValueMatch } from "../routes/route-table.ts";
import type { Init } from "./init.ts";

/** Emits the conditions of a route. Regular expressions are RE2 on both sides and match the whole value. */
export function emitRouteMatch(match: RouteMatch): Init<typeof RouteMatchSchema> {
  return {
    ...emitPathMatch(match.path),
    headers: match.headers.map(emitHeaderMatch),
    queryParameters: match.query.map(emitQueryMatch),
  };
}

function emitPathMatch(path: PathMatch): Init<typeof RouteMatchSchema> {
  switch (path.kind) {
    case "prefix":
      return { pathSpecifier: { case: "prefix", value: path.value }, ...emitCase(path.ignoreCase) };
    case "pathPrefix":
      return { pathSpecifier: { case: "pathSeparatedPrefix", value: path.value } };
    case "exact":
      return { pathSpecifier: { case: "path", value: path.value }, ...emitCase(path.ignoreCase) };
    case "regex":
      return { pathSpecifier: { case: "safeRegex", value: { regex: path.value } } };
  }
}

function emitCase(ignoreCase: boolean): { caseSensitive?: boolean } {
  return ignoreCase ? { caseSensitive: false } : {};
}

function emitHeaderMatch(header: HeaderMatch): Init<typeof HeaderMatcherSchema> {
  const { name, value, invert } = header;
  if (value.kind === "present") {
    return { name, headerMatchSpecifier: { case: "presentMatch", value: true }, invertMatch: invert };
  }
  return {
    name,
    headerMatchSpecifier: { case: "stringMatch", value: emitStringMatch(value) },
    invertMatch: invert,
    treatMissingHeaderAsEmpty: invert,
  };
}

function emitQueryMatch(query: QueryMatch): Init<typeof QueryParameterMatcherSchema> {
  const { name, value } = query;
  if (value.kind === "present") {
    return { name, queryParameterMatchSpecifier: { case: "presentMatch", value: true } };
  }
  return { name, queryParameterMatchSpecifier: { case: "stringMatch", value: emitStringMatch(value) } };
}

/** Emits a condition on a text. */
export function emitStringMatch(value: Exclude<ValueMatch, { kind: "present" }>): Init<typeof StringMatcherSchema> {
  switch (value.kind) {
    case "exact":
      return { matchPattern: { case: "exact", value: value.value } };
    case "prefix":
      return { matchPattern: { case: "prefix", value: value.value } };
    case "regex":
      return { matchPattern: { case: "safeRegex", value: { regex: value.value } } };
  }
}
