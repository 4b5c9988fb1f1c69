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
 * for such a route. Listeners, virtual hosts and routes that do not change keep their identity.
 */
export function withWeights(table: RouteTable, overrides: WeightOverrides): RouteTable {
  if (overrides.size === 0) {
    return table;
  }
  const listeners = mapChanged(table.listeners, (listener) => weighListener(listener, overrides));
  return listeners === table.listeners ? table : { ...table, listeners };
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

function weighListener(listener: Listener, overrides: WeightOverrides): Listener {
  const virtualHosts = mapChanged(listener.virtualHosts, (host) => weighVirtualHost(host, overrides));
  return virtualHosts === listener.virtualHosts ? listener : { ...listener, virtualHosts };
}

function weighVirtualHost(host: VirtualHost, overrides: WeightOverrides): VirtualHost {
  const routes = mapChanged(host.routes, (route) => weighRoute(route, overrides));
  return routes === host.routes ? host : { ...host, routes };
}

function weighRoute(route: Route, overrides: WeightOverrides): Route {
  if (route.action.kind !== "forward") {
    return route;
  }
  const { split } = route.action;
  const weights = overrides.get(split.id);
  if (weights === undefined || !split.arms.some((arm) => (weights[arm.destination] ?? 0) > 0)) {
    return route;
  }
  const arms = mapChanged(split.arms, (arm) => {
    const weight = weights[arm.destination] ?? 0;
    return weight === arm.weight ? arm : { ...arm, weight };
  });
  return arms === split.arms ? route : { ...route, action: { ...route.action, split: { ...split, arms } } };
}

/** Maps a list; the list itself when no element changed. */
function mapChanged<Item>(items: readonly Item[], change: (item: Item) => Item): readonly Item[] {
  let changed: Item[] | undefined;
  for (const [index, item] of items.entries()) {
    const next = change(item);
    if (next !== item) {
      changed ??= [...items];
      changed[index] = next;
    }
  }
  return changed ?? items;
}
