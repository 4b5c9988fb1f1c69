import type {
  Arm,
  HttpRouting,
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
 * for such a route. Routings, virtual hosts and routes that do not change keep their identity. Apart from the first
 * call for a table with the same splits, the time depends on the number of overrides and not on the number of routes.
 */
export function withWeights(table: RouteTable, overrides: WeightOverrides): RouteTable {
  if (overrides.size === 0) return table;
  const index = positionsIn(table, overrides.keys());
  const drafts = new Map<HttpRouting, Map<VirtualHost, Map<Route, Route>>>();
  for (const [id, weights] of overrides) {
    for (const { routing: at, virtualHost: where, route: which } of index.get(id) ?? []) {
      const routing = table.httpRoutings[at];
      const host = routing?.virtualHosts[where];
      const route = host?.routes[which];
      const next = route === undefined ? undefined : weighRoute(route, weights);
      if (routing !== undefined && host !== undefined && route !== undefined && next !== undefined) {
        const hosts = drafts.get(routing) ?? new Map<VirtualHost, Map<Route, Route>>();
        drafts.set(routing, hosts.set(host, (hosts.get(host) ?? new Map<Route, Route>()).set(route, next)));
      }
    }
  }
  if (drafts.size === 0) {
    return table;
  }
  const httpRoutings = table.httpRoutings.map((routing) => replaceRoutes(routing, drafts.get(routing)));
  const weighed = { ...table, httpRoutings };
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

/** Every split of the table by its id, those included that have one place to send to. */
export function splitsOf(table: RouteTable): ReadonlyMap<SplitId, Split> {
  const splits = new Map<SplitId, Split>();
  for (const { virtualHosts } of table.httpRoutings) {
    for (const { routes } of virtualHosts) {
      for (const { action } of routes) if (action.kind === "forward") splits.set(action.split.id, action.split);
    }
  }
  return splits;
}

/** Where the routes of a split are; the same in every table that differs in weights only. */
interface RoutePosition {
  readonly routing: number;
  readonly virtualHost: number;
  readonly route: number;
}

type SplitPositions = Map<SplitId, readonly RoutePosition[]>;

/** Tables are immutable, so positions live as long as the table. Those that nobody asked for are not looked for. */
const positions = new WeakMap<RouteTable, SplitPositions>();

function positionsIn(table: RouteTable, splits: Iterable<SplitId>): SplitPositions {
  const known = positions.get(table) ?? new Map<SplitId, readonly RoutePosition[]>();
  positions.set(table, known);
  const wanted = new Map<SplitId, RoutePosition[]>();
  for (const id of splits) if (!known.has(id)) wanted.set(id, []);
  if (wanted.size === 0) return known;
  for (const [routing, { virtualHosts }] of table.httpRoutings.entries()) {
    for (const [virtualHost, host] of virtualHosts.entries()) {
      for (const [route, id] of splitIdsOf(host).entries()) {
        if (id !== undefined) wanted.get(id)?.push({ routing, virtualHost, route });
      }
    }
  }
  for (const [id, found] of wanted) known.set(id, found);
  return known;
}

const splitIds = new WeakMap<VirtualHost, readonly (SplitId | undefined)[]>();

/** By route; virtual hosts that a new table shares with the one before are read once. */
function splitIdsOf(host: VirtualHost): readonly (SplitId | undefined)[] {
  const known = splitIds.get(host);
  if (known !== undefined) return known;
  const ids = host.routes.map(({ action }) => (action.kind === "forward" ? action.split.id : undefined));
  splitIds.set(host, ids);
  return ids;
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
  routing: HttpRouting,
  changed: ReadonlyMap<VirtualHost, ReadonlyMap<Route, Route>> | undefined,
): HttpRouting {
  if (changed === undefined) {
    return routing;
  }
  const virtualHosts = routing.virtualHosts.map((host) => {
    const routes = changed.get(host);
    return routes === undefined ? host : { ...host, routes: host.routes.map((route) => routes.get(route) ?? route) };
  });
  return { ...routing, virtualHosts };
}
