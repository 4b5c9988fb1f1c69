import type { DestinationId, Route, RouteTable, Split, SplitId, SplitWeights } from "../routes/route-table.ts";
import { splitAuthority } from "../routes/split-authority.ts";
import { readOwnRouteName } from "./own-routes.ts";
import { type DumpedHost, type DumpedRoute, readDumpedRoutes } from "./read-dumped-routes.ts";

export interface DumpQuestion {
  /** Whether what releases have laid is in it does not count: routes of kirikae's own are told by their names. */
  readonly table: RouteTable;
  readonly splits: readonly SplitId[];
}

/**
 * Weights by every arm of the split, 0 for those that the proxy does not have; compare them as shares, because a rule
 * with one destination shows 100 whatever is written. `absent`: no virtual host of the proxy has routes of the
 * VirtualService for this split. `unreadable`: it has, but they are not the table's, or its virtual hosts disagree.
 */
export type DumpedSplit = SplitWeights | "absent" | "unreadable";

/**
 * The weights that a proxy has, from a dump of its routes. Routes carry no identity of their rule, so that those of one
 * VirtualService on one host are compared in order with the table's; what they lead to has to fit as well.
 */
export function readDumpedSplits(dump: unknown, { table, splits }: DumpQuestion): ReadonlyMap<SplitId, DumpedSplit> {
  const places = findPlaces(table, new Set(splits));
  const readings = new Map<SplitId, Reading[]>();
  for (const host of readDumpedRoutes(dump)) {
    const domains = new Set(host.domains.map((domain) => withoutPort(domain.toLowerCase())));
    const here = new Set([...domains].flatMap((domain) => places.get(domain) ?? []));
    for (const [split, read] of readHost(host, atPort(here, host.port))) {
      readings.set(split, [...(readings.get(split) ?? []), read]);
    }
  }
  return new Map(splits.map((split) => [split, agree(readings.get(split) ?? [])]));
}

/** The routes of kirikae's own that a proxy has, by name, for each VirtualService (`namespace/name`) on each of its hosts. */
export function readDumpedOwnRoutes(dump: unknown): readonly DumpedOwnRoutes[] {
  return readDumpedRoutes(dump).flatMap(({ routing, domains, routes }) =>
    [...new Set(routes.map(({ virtualService }) => virtualService))].map((virtualService) => {
      const all = routes.filter((route) => route.virtualService === virtualService);
      const names = new Set(all.filter(isOwn).map(({ name }) => ownName(name)));
      return { routing, domains, virtualService, names: [...names] };
    }),
  );
}

export interface DumpedOwnRoutes {
  readonly routing: string;
  readonly domains: readonly string[];
  readonly virtualService: string;
  /** As in `spec.http`, each once; empty where it has none. */
  readonly names: readonly string[];
}

/** A split on one virtual host of the table. */
interface Place {
  readonly virtualService: string;
  /** The virtual host of the table that it is of, with the VirtualService: all of one callers' places. */
  readonly group: string;
  /** Of the listeners that serve it, or the one that its domain says where a listener serves all ports. */
  readonly ports: ReadonlySet<number>;
  /** True where its domain says the port, so that a virtual host of another port is never meant. */
  readonly isOfDomain: boolean;
  readonly split: Split;
  /** Which of the VirtualService's own routes on this host, counted from 0, are the split's. */
  readonly at: readonly number[];
  /** Of all of the VirtualService's own routes on this host. */
  readonly names: readonly string[];
  /** What the same rule leads to on other ports, or for other callers. */
  readonly others: readonly Split[];
}

type Reading =
  | { readonly kind: "weights"; readonly weights: SplitWeights }
  | { readonly kind: "absent" }
  | { readonly kind: "unreadable" };

/** By domain, without its port; aliases of a host have the same places. */
function findPlaces(table: RouteTable, wanted: ReadonlySet<SplitId>): ReadonlyMap<string, readonly Place[]> {
  const others = findOthers(table, wanted);
  const places = new Map<string, Place[]>();
  for (const { id, matchesPorts, virtualHosts } of table.httpRoutings) {
    const isOfDomain = matchesPorts === true;
    const served = isOfDomain ? undefined : portsOf(table, id);
    for (const { domain, aliases = [], routes } of virtualHosts) {
      const here = [...groupWanted(routes, wanted)].flatMap(([virtualService, own]) =>
        placesAmong(own, wanted).map((place) => ({
          ...place,
          virtualService,
          group: `${virtualService} ${domain} ${id}`,
          ports: served ?? new Set([portOfDomain(domain)]),
          isOfDomain,
          names: own.map(({ name }) => name),
          others: others.get(place.split.id) ?? [],
        })),
      );
      if (here.length === 0) continue;
      for (const each of new Set([domain, ...aliases].map(withoutPort))) {
        places.set(each, [...(places.get(each) ?? []), ...here]);
      }
    }
  }
  return places;
}

function portsOf({ listeners }: RouteTable, routing: string): ReadonlySet<number> {
  const serving = listeners.filter(({ filterChains }) =>
    filterChains.some(({ serves }) => serves.kind === "http" && serves.routing === routing),
  );
  return new Set(serving.map(({ port }) => port));
}

/** A routing for all ports has the port in its domains, and leaves 80 out. */
function portOfDomain(domain: string): number {
  const { port } = splitAuthority(domain);
  return port === "" ? 80 : Number(port);
}

/** Those of the port, where one has: a server's own port says which of several routings a virtual host is of. */
function atPort(places: ReadonlySet<Place>, port: number | undefined): ReadonlySet<Place> {
  if (port === undefined) return places;
  const own = [...places].filter(({ ports }) => ports.has(port));
  return new Set(own.length > 0 ? own : [...places].filter(({ isOfDomain }) => !isOfDomain));
}

function placesAmong(
  routes: readonly Route[],
  wanted: ReadonlySet<SplitId>,
): readonly { readonly split: Split; readonly at: readonly number[] }[] {
  const found = new Map<SplitId, { readonly split: Split; readonly at: number[] }>();
  for (const [at, { action }] of routes.entries()) {
    if (action.kind !== "forward" || !wanted.has(action.split.id)) continue;
    const known = found.get(action.split.id) ?? { split: action.split, at: [] };
    found.set(action.split.id, known);
    known.at.push(at);
  }
  return [...found.values()];
}

/** Splits of the same rule by another name, for each wanted one. */
function findOthers(table: RouteTable, wanted: ReadonlySet<SplitId>): ReadonlyMap<SplitId, readonly Split[]> {
  const byRule = new Map<string, Map<SplitId, Split>>();
  for (const { virtualHosts } of table.httpRoutings) {
    for (const { action, origin } of virtualHosts.flatMap(({ routes }) => routes)) {
      if (action.kind !== "forward") continue;
      const rule = `${origin.virtualService} ${origin.rule}`;
      const splits = byRule.get(rule) ?? new Map<SplitId, Split>();
      byRule.set(rule, splits.set(action.split.id, action.split));
    }
  }
  const found = new Map<SplitId, readonly Split[]>();
  for (const splits of byRule.values()) {
    for (const id of splits.keys()) {
      if (wanted.has(id))
        found.set(
          id,
          [...splits.values()].filter((split) => split.id !== id),
        );
    }
  }
  return found;
}

/** Routes by VirtualService, for those that have a wanted split; what an addition has laid is left out. */
function groupWanted(routes: readonly Route[], wanted: ReadonlySet<SplitId>): ReadonlyMap<string, readonly Route[]> {
  const groups = new Map<string, Route[]>();
  for (const { action, origin } of routes) {
    if (action.kind === "forward" && wanted.has(action.split.id)) groups.set(origin.virtualService, []);
  }
  if (groups.size === 0) return groups;
  // A route of an addition has the origin of its rule, which comes after it.
  const last = new Map<string, Route>();
  for (const route of routes) {
    last.delete(originKey(route));
    last.set(originKey(route), route);
  }
  for (const route of last.values()) groups.get(route.origin.virtualService)?.push(route);
  return groups;
}

function originKey({ origin }: Route): string {
  return `${origin.virtualService} ${origin.rule} ${origin.match ?? "all"}`;
}

/** Domains of proxies have a port behind them, or `*`, where they serve several. */
function withoutPort(domain: string): string {
  const { host } = splitAuthority(domain);
  return host === "" ? domain : host;
}

/**
 * By split. A host can be that of several places, of which one fits: conditions can ask for a port, for a gateway or for
 * callers, and callers have the rules that are for them. Those of which every place fits are meant, before them those whose
 * routes are called the same; where several say different things, which of them is meant cannot be told.
 */
function readHost(host: DumpedHost, places: ReadonlySet<Place>): ReadonlyMap<SplitId, Reading> {
  const groups = [...Map.groupBy(places, ({ group }) => group).values()].map((group) => readGroup(host, group));
  const best = new Map<string, number>();
  for (const { virtualService, fit } of groups) best.set(virtualService, Math.max(fit, best.get(virtualService) ?? 0));
  const found = new Map<SplitId, Reading[]>();
  for (const { virtualService, fit, readings } of groups) {
    const isMeant = fit === best.get(virtualService);
    for (const [id, reading] of readings)
      found.set(id, [...(found.get(id) ?? []), isMeant ? reading : { kind: "absent" }]);
  }
  return new Map([...found].map(([id, readings]) => [id, chooseReading(readings)]));
}

interface GroupReading {
  readonly virtualService: string;
  /** 2: no place is unreadable, and routes are called the same; 1: no place is unreadable; 0: one is. */
  readonly fit: number;
  readonly readings: readonly (readonly [SplitId, Reading])[];
}

function readGroup(host: DumpedHost, group: readonly Place[]): GroupReading {
  const [{ virtualService, names } = { virtualService: "", names: [] }] = group;
  const readings = group.map((place) => [place.split.id, readPlace(host, place)] as const);
  if (readings.some(([, { kind }]) => kind === "unreadable")) return { virtualService, fit: 0, readings };
  const isNamed = ownRoutes(host, virtualService).every(({ name }, at) => name === names[at]);
  return { virtualService, fit: isNamed ? 2 : 1, readings };
}

function chooseReading(readings: readonly Reading[]): Reading {
  const fitting = readings.filter(({ kind }) => kind === "weights");
  if (fitting.length > 0) return agreeReadings(fitting);
  return { kind: readings.some(({ kind }) => kind === "absent") ? "absent" : "unreadable" };
}

function readPlace(host: DumpedHost, { virtualService, split, at, names, others }: Place): Reading {
  const own = ownRoutes(host, virtualService);
  if (own.length === 0) return { kind: "absent" };
  if (own.length !== names.length) return { kind: "unreadable" };
  return agreeReadings(at.map((index) => weigh(own[index]?.shares, split, others)));
}

/** Those that the VirtualService says, without what kirikae has laid. */
function ownRoutes({ routes }: DumpedHost, virtualService: string): readonly DumpedRoute[] {
  return routes.filter((route) => route.virtualService === virtualService && !isOwn(route));
}

function isOwn({ name }: DumpedRoute): boolean {
  return readOwnRouteName(name) !== undefined;
}

/** A root puts its rule's name before it, and a condition its own behind it. */
function ownName(name: string): string {
  return /kirikae\/[^/]+\/[^/]+\/\d+(?:-[\da-z]+)?/u.exec(name)?.[0] ?? name;
}

function weigh(shares: DumpedRoute["shares"], split: Split, others: readonly Split[]): Reading {
  if (shares === undefined || shares.size === 0) return { kind: "unreadable" };
  if (!covers(split, shares)) return { kind: others.some((other) => covers(other, shares)) ? "absent" : "unreadable" };
  const weights = split.arms.map(({ destination }) => [destination, shares.get(plainName(destination)) ?? 0] as const);
  return { kind: "weights", weights: Object.fromEntries(weights) };
}

function covers({ arms }: Split, shares: ReadonlyMap<string, number>): boolean {
  const known = new Set(arms.map(({ destination }) => plainName(destination)));
  return [...shares.keys()].every((cluster) => known.has(cluster));
}

/** As the proxy calls it: what makes a difference between callers is known to kirikae alone. */
function plainName(destination: DestinationId): string {
  const at = destination.indexOf("@");
  return at === -1 ? destination : destination.slice(0, at);
}

function agreeReadings(readings: readonly Reading[]): Reading {
  const [first, ...rest] = readings;
  if (first === undefined) return { kind: "absent" };
  return rest.every((reading) => isSame(reading, first)) ? first : { kind: "unreadable" };
}

/** Virtual hosts that do not have the split do not count beside one that has it. */
function agree(readings: readonly Reading[]): DumpedSplit {
  const reading = agreeReadings(readings.filter(({ kind }) => kind !== "absent"));
  return reading.kind === "weights" ? reading.weights : reading.kind;
}

function isSame(one: Reading, other: Reading): boolean {
  if (one.kind !== "weights" || other.kind !== "weights") return one.kind === other.kind;
  return Object.entries(one.weights).every(([arm, weight]) => other.weights[arm] === weight);
}
