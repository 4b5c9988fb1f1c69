import type { HttpMatch, StringMatch } from "../manifest/virtual-service.ts";

type StringMatches = Readonly<Record<string, StringMatch>>;

/**
 * True when every request that `later` takes is one that `earlier` takes too. Errs on the side of false: two regular
 * expressions count only when they are the same text.
 */
export function coversMatch(earlier: HttpMatch, later: HttpMatch): boolean {
  return (
    coversUri(earlier, later) &&
    coversString(earlier.scheme, later.scheme) &&
    coversString(earlier.method, later.method) &&
    coversString(earlier.authority, later.authority) &&
    coversStrings(earlier.headers, later.headers) &&
    coversStrings(earlier.queryParams, later.queryParams) &&
    isSameSubset(earlier.withoutHeaders, later.withoutHeaders) &&
    (earlier.port === undefined || earlier.port === later.port) &&
    coversClients(earlier, later)
  );
}

/** True for a match that takes every request: no conditions, or only a path that is always there. */
export function isCatchAll(match: HttpMatch): boolean {
  return isAnyPath(match) && hasOnlyPath(match);
}

function hasOnlyPath(match: HttpMatch): boolean {
  const strings = [match.scheme, match.method, match.authority, match.port, match.sourceNamespace];
  const records = [match.headers, match.withoutHeaders, match.queryParams, match.sourceLabels];
  return (
    strings.every((value) => value === undefined) &&
    records.every((value) => Object.keys(value).length === 0) &&
    match.gateways.length === 0
  );
}

function isAnyPath({ uri }: HttpMatch): boolean {
  switch (uri?.kind) {
    case undefined:
      return true;
    case "prefix":
      return uri.value === "/" || uri.value === "";
    case "regex":
      return uri.value === ".*";
    case "exact":
    case "pathPrefix":
      return false;
  }
}

function coversUri(earlier: HttpMatch, later: HttpMatch): boolean {
  if (isAnyPath(earlier)) {
    return true;
  }
  const first = earlier.uri;
  const second = later.uri;
  if (first === undefined || second === undefined) {
    return first === undefined;
  }
  if (first.kind === "regex" || second.kind === "regex") {
    return first.kind === second.kind && first.value === second.value;
  }
  if (later.ignoreUriCase && !earlier.ignoreUriCase) {
    return false;
  }
  const fold = (value: string): string => (earlier.ignoreUriCase ? value.toLowerCase() : value);
  return coversPath({ kind: first.kind, value: fold(first.value) }, { kind: second.kind, value: fold(second.value) });
}

interface PathValue {
  readonly kind: "exact" | "prefix" | "pathPrefix";
  readonly value: string;
}

function coversPath(first: PathValue, second: PathValue): boolean {
  switch (first.kind) {
    case "prefix":
      return second.value.startsWith(first.value);
    case "pathPrefix":
      return second.value.startsWith(`${first.value}/`) || (second.kind !== "prefix" && second.value === first.value);
    case "exact":
      return second.kind === "exact" && second.value === first.value;
  }
}

function coversString(earlier: StringMatch | undefined, later: StringMatch | undefined): boolean {
  if (earlier === undefined) {
    return true;
  }
  if (later === undefined) {
    return false;
  }
  switch (earlier.kind) {
    case "present":
      return true;
    case "exact":
      return later.kind === "exact" && later.value === earlier.value;
    case "prefix":
      return (later.kind === "exact" || later.kind === "prefix") && later.value.startsWith(earlier.value);
    case "regex":
      return later.kind === "regex" && later.value === earlier.value;
  }
}

function coversStrings(earlier: StringMatches, later: StringMatches): boolean {
  return Object.entries(earlier).every(([name, match]) => coversString(match, valueOf(later, name)));
}

/** What `earlier` excludes, `later` must exclude in the same way. */
function isSameSubset(earlier: StringMatches, later: StringMatches): boolean {
  return Object.entries(earlier).every(([name, match]) => {
    const other = valueOf(later, name);
    return other !== undefined && JSON.stringify(other) === JSON.stringify(match);
  });
}

function valueOf(matches: StringMatches, name: string): StringMatch | undefined {
  return Object.hasOwn(matches, name) ? matches[name] : undefined;
}

/** Where gateways are named, Istio ignores the labels and the namespace of the client. */
function coversClients(earlier: HttpMatch, later: HttpMatch): boolean {
  if (earlier.gateways.length > 0) {
    return later.gateways.length > 0 && later.gateways.every((name) => earlier.gateways.includes(name));
  }
  const labels = Object.entries(earlier.sourceLabels);
  return (
    labels.every(([name, value]) => later.sourceLabels[name] === value) &&
    (earlier.sourceNamespace === undefined || earlier.sourceNamespace === later.sourceNamespace)
  );
}
