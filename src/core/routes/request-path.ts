/** A request target after normalization: both parts as routes see them. */
export interface RequestPath {
  readonly path: string;
  /** With its question mark; empty where the target has none. */
  readonly query: string;
}

/**
 * Splits a target and normalizes its path as Envoy does with `normalize_path` (and without `merge_slashes`): letters,
 * digits and `-._~` are decoded, dot segments are resolved, a backslash is a slash, and characters that no path may
 * hold are encoded. The query stays as it is. Undefined where Envoy answers 400: a target that does not begin with a
 * slash, a fragment, a blank or control character, anything beyond ASCII, an encoded zero byte.
 * Read off Envoy 1.40, byte by byte.
 */
export function normalizeTarget(target: string): RequestPath | undefined {
  if (!/^\/[!"$-~]*$/.test(target)) {
    return undefined;
  }
  const mark = target.indexOf("?");
  const path = mark === -1 ? target : target.slice(0, mark);
  const query = mark === -1 ? "" : target.slice(mark);
  if (!needsWork.test(path)) {
    return { path, query };
  }
  if (path.includes("%00")) {
    return undefined;
  }
  return { path: resolveDots(path).replaceAll(encoded, decodeOne).replaceAll(forbidden, encodeOne), query };
}

/**
 * Parameters in order, neither decoded nor merged; of a name given twice the first counts.
 * Source: Envoy `source/common/http/utility.cc`, QueryParamsMulti::parseQueryString.
 */
export function parseQuery(query: string): ReadonlyMap<string, string> {
  const parameters = new Map<string, string>();
  if (query.length <= 1) {
    return parameters;
  }
  for (const part of query.slice(1).split("&")) {
    const equals = part.indexOf("=");
    const name = equals === -1 ? part : part.slice(0, equals);
    if (!parameters.has(name)) {
      parameters.set(name, equals === -1 ? "" : part.slice(equals + 1));
    }
  }
  return parameters;
}

const needsWork = /[%\\"<>^`{|}]|\/\./;
const encoded = /%([0-9A-Fa-f]{2})/g;
const forbidden = /["<>^`{|}]/g;
const unreserved = /[A-Za-z0-9\-._~]/;

function decodeOne(whole: string, hex: string): string {
  const character = String.fromCodePoint(Number.parseInt(hex, 16));
  return unreserved.test(character) ? character : whole;
}

function encodeOne(character: string): string {
  return `%${(character.codePointAt(0) ?? 0).toString(16).toUpperCase()}`;
}

/** `.` and `..`, also encoded, and also with a parameter behind a semicolon when written plainly. */
function resolveDots(path: string): string {
  const segments = path.slice(1).split(/[/\\]/);
  const kept: string[] = [];
  for (const [index, segment] of segments.entries()) {
    const isLast = index === segments.length - 1;
    const dots = dotsOf(segment);
    if (dots === 0) {
      kept.push(segment);
      continue;
    }
    if (dots === 2) {
      kept.pop();
    }
    if (isLast) {
      kept.push("");
    }
  }
  return `/${kept.join("/")}`;
}

function dotsOf(segment: string): 0 | 1 | 2 {
  if (segment.startsWith(".;") || /^(?:\.|%2e)$/i.test(segment)) {
    return 1;
  }
  return segment.startsWith("..;") || /^(?:\.|%2e){2}$/i.test(segment) ? 2 : 0;
}
