import { parseQuery, type RequestPath } from "./request-path.ts";
import type { RoutedRequest } from "./request-target.ts";
import { matchesWhole } from "./route-regex.ts";
import type { HeaderMatch, PathMatch, QueryMatch, RouteMatch, ValueMatch } from "./route-table.ts";

/** A request in the form that conditions are checked against. */
export interface PreparedRequest {
  readonly path: string;
  readonly lowerPath: string;
  /** Values by lower-case name, each on its own; `host` and `:authority` are one. */
  readonly headers: ReadonlyMap<string, readonly string[]>;
  readonly query: ReadonlyMap<string, string>;
}

/** The first condition of a match that a request does not meet. */
export type UnmetCondition =
  | { readonly kind: "path"; readonly path: PathMatch }
  | { readonly kind: "header"; readonly header: HeaderMatch }
  | { readonly kind: "query"; readonly query: QueryMatch };

export function prepareRequest(request: RoutedRequest, { path, query }: RequestPath): PreparedRequest {
  const headers = new Map<string, string[]>();
  for (const [name, value] of request.headers) {
    const key = name.toLowerCase();
    const known = headers.get(key);
    if (known === undefined) {
      headers.set(key, [value.trim()]);
    } else {
      known.push(value.trim());
    }
  }
  headers.set(":authority", [request.authority]);
  headers.set("host", [request.authority]);
  headers.set(":method", [request.method]);
  headers.set(":scheme", [request.scheme]);
  headers.set("x-forwarded-proto", [request.forwardedProto]);
  return { path, lowerPath: lowerAscii(path), headers, query: parseQuery(query) };
}

/** Path first, then headers in order, then query parameters; undefined when the request meets them all. */
export function findUnmet(match: RouteMatch, request: PreparedRequest): UnmetCondition | undefined {
  if (!matchesPath(match.path, request)) {
    return { kind: "path", path: match.path };
  }
  for (const header of match.headers) {
    if (!matchesHeader(header, request.headers.get(header.name))) {
      return { kind: "header", header };
    }
  }
  for (const query of match.query) {
    const value = request.query.get(query.name);
    if (value === undefined || !matchesValue(query.value, value)) {
      return { kind: "query", query };
    }
  }
  return undefined;
}

/** One sentence with what was asked for and what the request has. */
export function renderUnmet(unmet: UnmetCondition, request: PreparedRequest): string {
  switch (unmet.kind) {
    case "path":
      return `the path is ${request.path}, not ${renderPath(unmet.path)}`;
    case "header":
      return renderHeader(unmet.header, request.headers.get(unmet.header.name));
    case "query": {
      const value = request.query.get(unmet.query.name);
      const wanted = renderCondition(unmet.query.value);
      return value === undefined
        ? `the query parameter ${unmet.query.name} is absent, and it must be ${wanted}`
        : `the query parameter ${unmet.query.name} is "${value}", not ${wanted}`;
    }
  }
}

/** The conditions in words, such as `path prefix /api, header x-version exactly "green"`. */
export function renderMatch({ path, headers, query }: RouteMatch): string {
  const parts = [
    path.kind === "prefix" && path.value === "/" ? undefined : `path ${renderPath(path)}`,
    ...headers.map(
      ({ name, value, invert }) =>
        `${invert ? "not " : ""}${name === ":method" ? "method" : `header ${name}`} ${renderCondition(value)}`,
    ),
    ...query.map(({ name, value }) => `query parameter ${name} ${renderCondition(value)}`),
  ].filter((part) => part !== undefined);
  return parts.length === 0 ? "every request" : parts.join(", ");
}

/** Without regard to case as Envoy does it, for ASCII only. */
export function lowerAscii(text: string): string {
  return text.replaceAll(/[A-Z]+/g, (letters) => letters.toLowerCase());
}

function matchesPath(match: PathMatch, request: PreparedRequest): boolean {
  switch (match.kind) {
    case "prefix":
      return match.ignoreCase
        ? request.lowerPath.startsWith(lowerAscii(match.value))
        : request.path.startsWith(match.value);
    case "exact":
      return match.ignoreCase ? request.lowerPath === lowerAscii(match.value) : request.path === match.value;
    case "regex":
      return matchesWhole(match.value, request.path);
    case "pathPrefix":
      return request.path === match.value || request.path.startsWith(`${match.value}/`);
  }
}

/** Of several values one is enough; inverted, none may match. A missing header is then an empty one. */
function matchesHeader({ value, invert }: HeaderMatch, values: readonly string[] | undefined): boolean {
  if (value.kind === "present") {
    return (values !== undefined) !== invert;
  }
  if (values === undefined) {
    return invert && !matchesValue(value, "");
  }
  return values.some((candidate) => matchesValue(value, candidate)) !== invert;
}

/** Whether a text is one that a condition takes. */
export function matchesValue(match: ValueMatch, value: string): boolean {
  switch (match.kind) {
    case "present":
      return true;
    case "exact":
      return value === match.value;
    case "prefix":
      return value.startsWith(match.value);
    case "regex":
      return matchesWhole(match.value, value);
  }
}

function renderPath(path: PathMatch): string {
  const suffix = "ignoreCase" in path && path.ignoreCase ? " (in any case)" : "";
  switch (path.kind) {
    case "prefix":
      return `with the prefix ${path.value}${suffix}`;
    case "exact":
      return `exactly ${path.value}${suffix}`;
    case "regex":
      return `matching the regex ${path.value}`;
    case "pathPrefix":
      return `${path.value} or below it`;
  }
}

function renderHeader({ name, value, invert }: HeaderMatch, values: readonly string[] | undefined): string {
  const wanted = renderCondition(value);
  if (values === undefined) {
    return invert
      ? `the header ${name} is absent, which counts as "", and it must not be ${wanted}`
      : `the header ${name} is absent, and it must be ${wanted}`;
  }
  const actual = `the header ${name} is ${values.map((each) => `"${each}"`).join(" and ")}`;
  return invert ? `${actual}, and it must not be ${wanted}` : `${actual}, not ${wanted}`;
}

/** What is asked of a value, such as `exactly "green"` or `present`. */
export function renderCondition(value: ValueMatch): string {
  switch (value.kind) {
    case "present":
      return "present";
    case "exact":
      return `exactly "${value.value}"`;
    case "prefix":
      return `prefixed by "${value.value}"`;
    case "regex":
      return `matched by the regex ${value.value}`;
  }
}
