import type {
  Arm,
  DestinationId,
  Listener,
  Route,
  RouteTable,
  Split,
  SplitId,
  SplitWeights,
  VirtualHost,
  WeightOverrides,
} from "./route-table.ts";

/**
 * The table with other weights. A split that the overrides do not name keeps its weights; within a named split an arm
 * without an entry gets 0. Weights that would leave a split without any share are ignored, because a proxy answers 404
 * for such a route. Listeners, virtual hosts and routes that do not change keep their identity. Apart from the first
 * call for a table, the time depends on the number of overrides and not on the number of routes.
 */
export function withWeights(table: RouteTable, overrides: WeightOverrides): RouteTable {
  const index = positionsIn(table);
  const drafts = new Map<Listener, Map<VirtualHost, Map<Route, Route>>>();
  for (const [id, weights] of overrides) {
    for (const { listener: at, virtualHost: where, route: which } of index.get(id) ?? []) {
      const listener = table.listeners[at];
      const host = listener?.virtualHosts[where];
      const route = host?.routes[which];
      const next = route === undefined ? undefined : weighRoute(route, weights);
      if (listener !== undefined && host !== undefined && route !== undefined && next !== undefined) {
        const hosts = drafts.get(listener) ?? new Map<VirtualHost, Map<Route, Route>>();
        drafts.set(listener, hosts.set(host, (hosts.get(host) ?? new Map<Route, Route>()).set(route, next)));
      }
    }
  }
  if (drafts.size === 0) {
    return table;
  }
  const listeners = table.listeners.map((listener) => replaceRoutes(listener, drafts.get(listener)));
  const weighed = { ...table, listeners };
  positions.set(weighed, index);
  return weighed;
}

/** The weights that the split's arms have now. */
export function weightsOf(split: Split): SplitWeights {
  return Object.fromEntries(split.arms.map((arm) => [arm.destination, arm.weight]));
}

/** Shares in percent, in the order of the arms; all 0 when no arm has a weight. */
export function sharesOf(arms: readonly Arm[]): readonly number[] {
  const sum = arms.reduce((total, arm) => total + arm.weight, 0);
  return arms.map((arm) => (sum === 0 ? 0 : (arm.weight * 100) / sum));
}

/** A rule whose traffic can be moved, and what a release needs to know about it. */
export interface ManagedSplit {
  readonly id: SplitId;
  /** With the weights of the table it was read from; arms of weight 0 are the versions that traffic can move to. */
  readonly split: Split;
  /** `namespace/name`. */
  readonly virtualService: string;
  /** Counts from 0. */
  readonly rule: number;
  readonly ruleName: string | undefined;
  /** The first match of the rule. */
  readonly at: Route["origin"]["at"];
  /**
   * `preview` when every way into the rule asks for a header, a query parameter or an authority, so that only those
   * who know it arrive; `public` otherwise.
   */
  readonly role: "public" | "preview";
  /** Domains under which the rule is served, sorted. */
  readonly domains: readonly string[];
  /** Distinct versions of the arms, in the order of the arms. */
  readonly versions: readonly string[];
}

/** What a destination is called as a version: its subset, else its host. */
export function versionOf(destination: DestinationId): string {
  const [, , subset, host] = destination.split("|");
  return subset === undefined || subset === "" ? (host ?? destination) : subset;
}

/**
 * What a release may move: every split with at least two arms, in table order, by its id. Rules that forward to the
 * one possible destination, redirect or answer themselves are absent.
 */
export function splitsOf(table: RouteTable): ReadonlyMap<SplitId, ManagedSplit> {
  const known = managed.get(table) ?? collectSplits(table);
  managed.set(table, known);
  return known;
}

const managed = new WeakMap<RouteTable, ReadonlyMap<SplitId, ManagedSplit>>();

function collectSplits(table: RouteTable): ReadonlyMap<SplitId, ManagedSplit> {
  const found = new Map<SplitId, { route: Route; split: Split; domains: Set<string>; isPreview: boolean }>();
  for (const listener of table.listeners) {
    for (const host of listener.virtualHosts) {
      for (const route of host.routes) {
        if (route.action.kind !== "forward" || route.action.split.arms.length < 2) {
          continue;
        }
        const { split } = route.action;
        const known = found.get(split.id);
        if (known === undefined) {
          found.set(split.id, { route, split, domains: new Set([host.domain]), isPreview: needsKnowledge(route) });
        } else {
          known.domains.add(host.domain);
          known.isPreview &&= needsKnowledge(route);
        }
      }
    }
  }
  return new Map(
    [...found].map(([id, { route, split, domains, isPreview }]) => [
      id,
      {
        id,
        split,
        virtualService: route.origin.virtualService,
        rule: route.origin.rule,
        ruleName: route.origin.ruleName,
        at: route.origin.at,
        role: isPreview ? "preview" : "public",
        domains: [...domains].toSorted(),
        versions: [...new Set(split.arms.map((arm) => versionOf(arm.destination)))],
      },
    ]),
  );
}

function needsKnowledge(route: Route): boolean {
  const { headers, query } = route.match;
  return query.length > 0 || headers.some((header) => header.name !== ":method" && header.name !== ":scheme");
}

/** Where the routes of a split are; the same in every table that differs in weights only. */
interface RoutePosition {
  readonly listener: number;
  readonly virtualHost: number;
  readonly route: number;
}

type SplitPositions = ReadonlyMap<SplitId, readonly RoutePosition[]>;

/** Tables are immutable, so positions live as long as the table. */
const positions = new WeakMap<RouteTable, SplitPositions>();

function positionsIn(table: RouteTable): SplitPositions {
  const known = positions.get(table);
  if (known !== undefined) {
    return known;
  }
  const index = new Map<SplitId, RoutePosition[]>();
  for (const [listener, { virtualHosts }] of table.listeners.entries()) {
    for (const [virtualHost, { routes }] of virtualHosts.entries()) {
      for (const [route, { action }] of routes.entries()) {
        if (action.kind === "forward") {
          const list = index.get(action.split.id) ?? [];
          list.push({ listener, virtualHost, route });
          index.set(action.split.id, list);
        }
      }
    }
  }
  positions.set(table, index);
  return index;
}

/** Undefined when nothing changes. */
function weighRoute(route: Route, weights: SplitWeights): Route | undefined {
  if (route.action.kind !== "forward") {
    return undefined;
  }
  const { split } = route.action;
  const weightOf = (arm: Arm) => weights[arm.destination] ?? 0;
  const isSame = split.arms.every((arm) => weightOf(arm) === arm.weight);
  if (isSame || !split.arms.some((arm) => weightOf(arm) > 0)) {
    return undefined;
  }
  const arms = split.arms.map((arm) => (weightOf(arm) === arm.weight ? arm : { ...arm, weight: weightOf(arm) }));
  return { ...route, action: { ...route.action, split: { ...split, arms } } };
}

function replaceRoutes(
  listener: Listener,
  changed: ReadonlyMap<VirtualHost, ReadonlyMap<Route, Route>> | undefined,
): Listener {
  if (changed === undefined) {
    return listener;
  }
  const virtualHosts = listener.virtualHosts.map((host) => {
    const routes = changed.get(host);
    return routes === undefined ? host : { ...host, routes: host.routes.map((route) => routes.get(route) ?? route) };
  });
  return { ...listener, virtualHosts };
}
