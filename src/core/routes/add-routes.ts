import { renderCookiePattern } from "./cookie-pattern.ts";
import { copyDestination, copyHeader, splitHeader } from "./copied-destination.ts";
import { escapeRegex } from "./escape-regex.ts";
import type {
  AffinityAddition,
  MirrorAddition,
  OwnedAddition,
  PreviewAddition,
  RequestMark,
  RouteAddition,
} from "./route-addition.ts";
import type {
  Destination,
  DestinationId,
  ForwardAction,
  HeaderMatch,
  Mirror,
  QueryMatch,
  Route,
  RouteMatch,
  RouteTable,
  SplitId,
  VirtualHost,
} from "./route-table.ts";

/**
 * The table with what releases have laid over it. Whatever an addition does not name keeps its identity, and so does the
 * table that none of them finds anything in. A rule or a version that is gone makes an addition have no effect there.
 */
export function addRoutes(table: RouteTable, additions: readonly OwnedAddition[]): RouteTable {
  const laid = gatherBySplit(additions);
  if (laid.size === 0) return table;
  const copies = new Map<DestinationId, Destination>();
  const overlay: Overlay = { laid, destinations: table.destinations, copies };
  const httpRoutings = mapKept(table.httpRoutings, (routing) => {
    const virtualHosts = mapKept(routing.virtualHosts, (host) => addToHost(host, overlay));
    return virtualHosts === routing.virtualHosts ? routing : { ...routing, virtualHosts };
  });
  if (httpRoutings === table.httpRoutings) return table;
  const destinations = copies.size === 0 ? table.destinations : new Map([...table.destinations, ...copies]);
  return { ...table, httpRoutings, destinations };
}

/** The requests of a preview are told from those of its rule by this name. */
function previewSplitId(split: SplitId, preview: string): SplitId {
  return `${split}~preview:${preview}`;
}

/** The rules that an addition is laid over. */
export function splitsOfAddition(addition: RouteAddition): readonly SplitId[] {
  return addition.kind === "affinity" ? addition.splits : Object.keys(addition.to);
}

/** What lies over one rule. */
interface Laid {
  readonly previews: readonly PreviewAddition[];
  readonly mirror?: { readonly addition: MirrorAddition; readonly release: string };
  readonly affinity?: AffinityAddition;
}

interface Overlay {
  readonly laid: ReadonlyMap<SplitId, Laid>;
  readonly destinations: RouteTable["destinations"];
  /** Destinations that the additions need, gathered on the way. */
  readonly copies: Map<DestinationId, Destination>;
}

function gatherBySplit(additions: readonly OwnedAddition[]): ReadonlyMap<SplitId, Laid> {
  const laid = new Map<SplitId, Laid>();
  for (const each of additions) {
    for (const split of splitsOfAddition(each.addition)) {
      laid.set(split, layOn(laid.get(split) ?? { previews: [] }, each));
    }
  }
  return laid;
}

function layOn(laid: Laid, { addition, release }: OwnedAddition): Laid {
  switch (addition.kind) {
    case "preview":
      return { ...laid, previews: [...laid.previews, addition] };
    case "mirror":
      return { ...laid, mirror: { addition, release } };
    case "affinity":
      return { ...laid, affinity: addition };
  }
}

function addToHost(host: VirtualHost, overlay: Overlay): VirtualHost {
  // Of ten thousand hosts most are left as they are.
  if (!host.routes.some(({ action }) => action.kind === "forward" && overlay.laid.has(action.split.id))) return host;
  const routes = host.routes.map((route) => addToRoute(route, overlay));
  return routes.every((added, index) => added.length === 1 && added[0] === host.routes[index])
    ? host
    : { ...host, routes: routes.flat() };
}

/** Previews come first: whoever has a mark is copied nowhere and given no cookie. */
function addToRoute(route: Route, overlay: Overlay): readonly Route[] {
  const { action } = route;
  const laid = action.kind === "forward" ? overlay.laid.get(action.split.id) : undefined;
  if (action.kind !== "forward" || laid === undefined) return [route];
  const forward: ForwardingRoute = { ...route, action };
  const kept = laid.affinity === undefined ? [route] : keepVisitors(forward, laid.affinity);
  return [
    ...laid.previews.flatMap((preview) => addPreview(forward, preview)),
    ...kept.flatMap((each) => (laid.mirror === undefined ? [each] : [...addMirror(each, laid.mirror, overlay), each])),
  ];
}

type ForwardingRoute = Route & { readonly action: ForwardAction };

/** One route a mark, which has all that its rule has but the weights. */
function addPreview(route: ForwardingRoute, { name, to, marks }: PreviewAddition): readonly Route[] {
  const { split } = route.action;
  const arm = split.arms.find(({ destination }) => destination === to[split.id]);
  if (arm === undefined) return [];
  const action = {
    ...route.action,
    split: { id: previewSplitId(split.id, name), arms: [{ ...arm, weight: 100 }] },
  };
  return marks.map((mark) => ({
    ...route,
    name: nameRoute(route, `preview ${name}`),
    match: withMark(route.match, mark),
    action,
  }));
}

/** Requests of other methods than those named keep the route as it is. */
function addMirror(route: Route, laid: NonNullable<Laid["mirror"]>, overlay: Overlay): readonly Route[] {
  if (route.action.kind !== "forward") return [];
  const { action } = route;
  const mirror = buildMirror(action.split.id, laid, overlay);
  if (mirror === undefined) return [];
  const { methods } = laid.addition;
  // The name of a method may hold characters that an expression would read as more than themselves.
  const named = methods.map(escapeRegex).join("|");
  const method: HeaderMatch = { name: ":method", value: { kind: "regex", value: named }, invert: false };
  return [
    {
      ...route,
      name: nameRoute(route, "copied"),
      match: withHeaders(route.match, [method]),
      action: { ...action, mirrors: [...action.mirrors, mirror] },
    },
  ];
}

/** Undefined where the version is gone. */
function buildMirror(
  split: SplitId,
  { addition: { to, percent, through }, release }: NonNullable<Laid["mirror"]>,
  { destinations, copies }: Overlay,
): Mirror | undefined {
  const version = destinations.get(to[split] ?? "");
  if (version === undefined) return undefined;
  const copy = copyOf(version);
  copies.set(copy.id, copy);
  if (through === undefined) return { destination: copy.id, percent, marks: [[copyHeader, release]] };
  const { comparer, live } = through;
  copies.set(comparer.id, comparer);
  const other = destinations.get(live[split] ?? "");
  if (other !== undefined) copies.set(copyOf(other).id, copyOf(other));
  // A rule's name may be in any script, and a header's value is in ASCII.
  const marks: Mirror["marks"] = [
    [copyHeader, release],
    [splitHeader, encodeURIComponent(split)],
  ];
  return { destination: comparer.id, percent, marks };
}

const copiesOf = new WeakMap<Destination, Destination>();

/** The same for the same destination, because what was encoded of it goes by its identity. */
function copyOf(destination: Destination): Destination {
  const known = copiesOf.get(destination) ?? copyDestination(destination);
  copiesOf.set(destination, known);
  return known;
}

/**
 * Two routes: visitors with the cookie are sent by it; others by the id of their request, which they are given as the
 * cookie, so that the next request is sent by the same text.
 */
function keepVisitors(route: ForwardingRoute, { cookie, maxAgeMs }: AffinityAddition): readonly Route[] {
  const { action } = route;
  if (action.split.arms.length < 2) return [route];
  const known: HeaderMatch = { name: "cookie", value: cookieMatch(cookie, { kind: "present" }), invert: false };
  return [
    {
      ...route,
      name: nameRoute(route, "visitor"),
      match: withHeaders(route.match, [known]),
      action: { ...action, split: { ...action.split, chosenBy: { kind: "cookie", name: cookie } } },
    },
    {
      ...route,
      action: { ...action, split: { ...action.split, chosenBy: { kind: "newCookie", name: cookie, maxAgeMs } } },
    },
  ];
}

function withMark(match: RouteMatch, { headers, cookies, query }: RequestMark): RouteMatch {
  const asked: readonly HeaderMatch[] = [
    ...Object.entries(headers).map(([name, value]) => ({ name, value, invert: false })),
    ...Object.entries(cookies).map(([name, value]) => ({
      name: "cookie",
      value: cookieMatch(name, value),
      invert: false,
    })),
  ];
  const parameters = Object.entries(query).map(([name, value]): QueryMatch => ({ name, value }));
  return {
    ...withHeaders(match, asked),
    query: parameters.length === 0 ? match.query : [...match.query, ...parameters].toSorted(byName),
  };
}

function cookieMatch(name: string, value: RequestMark["cookies"][string]): HeaderMatch["value"] {
  return { kind: "regex", value: renderCookiePattern(name, value) };
}

/** Pseudo headers stay behind the others. */
function withHeaders(match: RouteMatch, more: readonly HeaderMatch[]): RouteMatch {
  const all = [...match.headers, ...more];
  return { ...match, headers: [...all.filter((one) => !isPseudo(one)).toSorted(byName), ...all.filter(isPseudo)] };
}

function isPseudo({ name }: HeaderMatch): boolean {
  return name.startsWith(":");
}

function byName(left: { readonly name: string }, right: { readonly name: string }): number {
  if (left.name === right.name) return 0;
  return left.name < right.name ? -1 : 1;
}

function nameRoute({ name }: Route, added: string): string {
  return name === "" ? added : `${name}, ${added}`;
}

/** The list itself where nothing changes. */
function mapKept<Item>(list: readonly Item[], change: (item: Item) => Item): readonly Item[] {
  const changed = list.map(change);
  return changed.every((item, index) => item === list[index]) ? list : changed;
}
