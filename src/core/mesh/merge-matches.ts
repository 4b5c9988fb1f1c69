import type { HttpMatch, StringMatch, UriMatch } from "../manifest/virtual-service.ts";

/**
 * True when no request meets both entries as far as Istio looks: of two patterns the delegate's must be the narrower
 * one, and regular expressions are never compared. Source: Istio `pilot/pkg/model/virtualservice.go`, hasConflict.
 */
export function matchesConflict(root: HttpMatch, leaf: HttpMatch): boolean {
  return (
    hasTextConflict(root, leaf) ||
    root.ignoreUriCase !== leaf.ignoreUriCase ||
    hasPortConflict(root.port, leaf.port) ||
    hasSourceConflict(root, leaf) ||
    hasGatewayConflict(root.gateways, leaf.gateways)
  );
}

/** Both entries in one, without their names; of a condition that both have the delegate's is kept. */
export function mergeMatch(root: HttpMatch, leaf: HttpMatch): Omit<HttpMatch, "name"> {
  return {
    ...leaf,
    uri: leaf.uri ?? root.uri,
    scheme: leaf.scheme ?? root.scheme,
    method: leaf.method ?? root.method,
    authority: leaf.authority ?? root.authority,
    headers: { ...root.headers, ...leaf.headers },
    withoutHeaders: { ...root.withoutHeaders, ...leaf.withoutHeaders },
    queryParams: { ...root.queryParams, ...leaf.queryParams },
    port: isSet(leaf.port) ? leaf.port : root.port,
    sourceLabels: { ...root.sourceLabels, ...leaf.sourceLabels },
    sourceNamespace: isSet(leaf.sourceNamespace) ? leaf.sourceNamespace : root.sourceNamespace,
    gateways: leaf.gateways.length > 0 ? leaf.gateways : root.gateways,
    statPrefix: isSet(leaf.statPrefix) ? leaf.statPrefix : root.statPrefix,
  };
}

function hasTextConflict(root: HttpMatch, leaf: HttpMatch): boolean {
  const pairs: readonly (readonly [AnyMatch | undefined, AnyMatch | undefined])[] = [
    [root.uri, leaf.uri],
    [root.scheme, leaf.scheme],
    [root.method, leaf.method],
    [root.authority, leaf.authority],
    ...sharedKeys(root.headers, leaf.headers),
    ...sharedKeys(root.withoutHeaders, leaf.withoutHeaders),
    ...sharedKeys(root.queryParams, leaf.queryParams),
  ];
  return pairs.some(([outer, inner]) => outer !== undefined && inner !== undefined && !isWithin(outer, inner));
}

type AnyMatch = StringMatch | UriMatch;
type Matches = Readonly<Record<string, StringMatch>>;

function sharedKeys(root: Matches, leaf: Matches): readonly (readonly [StringMatch | undefined, StringMatch])[] {
  return Object.entries(leaf).map(([key, inner]) => [Object.hasOwn(root, key) ? root[key] : undefined, inner] as const);
}

/** Presence and regular expressions go with nothing but a side that says nothing. */
function isWithin(outer: AnyMatch, inner: AnyMatch): boolean {
  if (outer.kind === "exact") {
    return inner.kind === "exact" && inner.value === outer.value;
  }
  return (
    outer.kind === "prefix" &&
    (inner.kind === "exact" || inner.kind === "prefix") &&
    inner.value.startsWith(outer.value)
  );
}

function hasPortConflict(root: number | undefined, leaf: number | undefined): boolean {
  return isSet(root) && isSet(leaf) && root !== leaf;
}

/** Where the root names a namespace the delegate has to name the same one; labels may add to each other. */
function hasSourceConflict(root: HttpMatch, leaf: HttpMatch): boolean {
  if (isSet(root.sourceNamespace) && leaf.sourceNamespace !== root.sourceNamespace) {
    return true;
  }
  return Object.entries(leaf.sourceLabels).some(
    ([key, value]) => Object.hasOwn(root.sourceLabels, key) && root.sourceLabels[key] !== value,
  );
}

function hasGatewayConflict(root: readonly string[], leaf: readonly string[]): boolean {
  return root.length > 0 && leaf.length > 0 && (root.length < leaf.length || leaf.some((name) => !root.includes(name)));
}

function isSet(value: string | number | undefined): boolean {
  return value !== undefined && value !== "" && value !== 0;
}
