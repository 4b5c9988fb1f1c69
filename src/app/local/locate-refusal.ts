import type { Position } from "../../core/diagnostics/position.ts";
import { renderPosition } from "../../core/diagnostics/position.ts";
import { scopedPartName } from "../../core/envoy/route-forms.ts";
import type { HttpRouting, Route, RouteTable } from "../../core/routes/route-table.ts";

/** Where a manifest asked for what a proxy refused. */
interface RefusalOrigin {
  /** `Kind namespace/name`, or `host NAME` for a destination that no rule sends to. */
  readonly resource: string;
  readonly at: Position | undefined;
}

export interface LocatedRefusal {
  /** The proxy's own words, a few lines at most. */
  readonly message: string;
  /** In the order of the table; empty where the words name nothing that is in it. */
  readonly origins: readonly RefusalOrigin[];
}

const shownLines = 3;
const shownCharacters = 400;
const shownOrigins = 5;

/**
 * Finds the manifests behind a refusal. Envoy names a cluster, a split, a domain or the value that it did not like,
 * and often only the route configuration; the narrowest of these that the table knows counts.
 * @param text what Envoy said
 * @param resource the name of the refused resource: a listener's id or a destination's
 */
export function locateRefusal(text: string, resource: string, table: RouteTable): LocatedRefusal {
  const routings = table.httpRoutings.flatMap((routing) => narrowToResource(routing, resource));
  const searched = routings.length === 0 ? table.httpRoutings : routings;
  const reason = reasonOf(text);
  const routes = findRoutes(`${table.destinations.has(resource) ? resource : ""}\n${reason}`, searched);
  const hosts = [...table.destinations.values()].filter(({ id }) => resource.includes(id) || reason.includes(id));
  const origins = [
    ...originsOf(routes),
    ...hosts.filter(() => routes.length === 0).map(({ host }) => hostOrigin(host)),
  ];
  return { message: shorten(reason), origins };
}

/** The same as one text: the words, then where they come from. */
export function describeRefusal(text: string, resource: string, table: RouteTable): string {
  const { message, origins } = locateRefusal(text, resource, table);
  if (origins.length === 0) return message;
  const shown = origins.slice(0, shownOrigins).map(({ resource: name, at }) => {
    return at === undefined ? name : `${name} ${renderPosition(at)}`;
  });
  const more = origins.length - shown.length;
  return `${message}; from ${shown.join(", ")}${more > 0 ? ` and ${more} more` : ""}`;
}

/**
 * What the refused configurations hold of a routing: all of it, or the hosts of one scope, whose numbers in Envoy's words
 * begin at 0 then. Nothing where the resource is not of the routing.
 */
function narrowToResource(routing: HttpRouting, resource: string): readonly HttpRouting[] {
  const names = new Set(resource.replace(/ and \d+ more$/, "").split(", "));
  const virtualHosts = routing.virtualHosts.filter((host) => names.has(scopedPartName(routing.id, host)));
  if (virtualHosts.length > 0) return [{ ...routing, virtualHosts }];
  return resource.includes(routing.id) ? [routing] : [];
}

function hostOrigin(host: string): RefusalOrigin {
  return { resource: `host ${host}`, at: undefined };
}

/** What follows the dump of the whole message, where Envoy begins with one. */
function reasonOf(text: string): string {
  const dumped = text.lastIndexOf("Proto constraint validation failed");
  return dumped === -1 ? text : text.slice(dumped);
}

/** `VirtualHosts[2]` and `Routes[0]` count as the routing's own lists do. */
function findByIndex(text: string, routings: readonly HttpRouting[]): readonly Route[] {
  const host = /VirtualHosts\[(\d+)\]/.exec(text)?.[1];
  const route = /Routes\[(\d+)\]/.exec(text)?.[1];
  if (host === undefined || routings.length !== 1) return [];
  const routes = routings[0]?.virtualHosts[Number(host)]?.routes ?? [];
  return route === undefined ? routes : routes.slice(Number(route), Number(route) + 1);
}

/** By position, then by destination, then by split or rule, then by a value that only some routes have, then by domain. */
function findRoutes(text: string, routings: readonly HttpRouting[]): readonly Route[] {
  const hosts = routings.flatMap(({ virtualHosts }) => virtualHosts);
  const routes = hosts.flatMap((host) => host.routes);
  // RE2 quotes only the part of a pattern that it stumbled over.
  const fragment = /: ([^:\s]{2,})$/.exec(text)?.[1];
  const ways: readonly (() => readonly Route[])[] = [
    () => findByIndex(text, routings),
    () => routes.filter((route) => destinationsOf(route).some((id) => text.includes(id))),
    () => routes.filter((route) => namesOf(route).some((name) => containsName(text, name))),
    () => routes.filter((route) => valuesOf(route).some((value) => value.length >= 3 && text.includes(value))),
    () => routes.filter((route) => fragment !== undefined && valuesOf(route).some((value) => value.includes(fragment))),
    () => hosts.filter(({ domain }) => containsName(text, domain)).flatMap((host) => host.routes),
  ];
  for (const way of ways) {
    const found = way();
    if (found.length > 0) return found;
  }
  return [];
}

function destinationsOf({ action }: Route): readonly string[] {
  if (action.kind !== "forward") return [];
  return [...action.split.arms, ...action.mirrors].map(({ destination }) => destination);
}

function namesOf({ action, origin, name }: Route): readonly string[] {
  return action.kind === "forward"
    ? [action.split.id]
    : [`${origin.virtualService}/${name === "" ? origin.rule : name}`];
}

/** Texts that Envoy repeats when it does not like them. */
function valuesOf({ match, action }: Route): readonly string[] {
  const patterns = [match.path, ...match.headers.map(({ value }) => value), ...match.query.map(({ value }) => value)];
  const regexes = patterns.flatMap((each) => (each.kind === "regex" ? [each.value] : []));
  const mutations =
    action.kind === "forward"
      ? [
          action.requestHeaders,
          action.responseHeaders,
          ...action.split.arms.flatMap((arm) => [arm.requestHeaders, arm.responseHeaders]),
        ]
      : [action.responseHeaders];
  const headers = mutations.flatMap((each) => [...(each?.set ?? []), ...(each?.add ?? [])]);
  // A plain value is in many words; only one with a variable is refused for what it says.
  const formats = headers.flatMap(([, value]) => (value.includes("%") ? [value, ...variablesIn(value)] : []));
  const rewrite = action.kind === "forward" && action.pathRewrite?.kind === "regex" ? [action.pathRewrite.pattern] : [];
  return [...regexes, ...formats, ...rewrite];
}

function variablesIn(value: string): readonly string[] {
  return [...value.matchAll(/%([A-Z0-9_]+)/g)].map(([, name = ""]) => name);
}

/** Not as a part of a longer name. */
function containsName(text: string, name: string): boolean {
  for (let at = text.indexOf(name); at !== -1; at = text.indexOf(name, at + 1)) {
    const around = (text[at - 1] ?? " ") + (text[at + name.length] ?? " ");
    if (name.length > 1 && !/[A-Za-z0-9_/.*-]/.test(around.replace(/\.$/, " "))) return true;
  }
  return false;
}

function originsOf(routes: readonly Route[]): readonly RefusalOrigin[] {
  const origins = new Map<string, RefusalOrigin>();
  for (const { origin } of routes) {
    const resource = origin.madeFrom ?? `VirtualService ${origin.virtualService}`;
    const key = `${resource} ${renderPosition(origin.at)}`;
    if (!origins.has(key)) origins.set(key, { resource, at: origin.at });
  }
  return [...origins.values()];
}

/** Envoy prints whole messages of thousands of lines; what is wrong stands at the beginning. */
function shorten(text: string): string {
  const lines = text.split("\n").map((line) => line.trim());
  const kept = lines
    .filter((line) => line !== "")
    .slice(0, shownLines)
    .join(" ");
  return kept.length > shownCharacters ? `${kept.slice(0, shownCharacters)} …` : kept;
}
