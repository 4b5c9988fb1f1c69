import type {
  DestinationId,
  Route,
  RouteMatch,
  RouteTable,
  Split,
  SplitId,
  SplitWeights,
  WeightOverrides,
} from "../../routes/route-table.ts";
import { nameDestination } from "../../routes/name-destination.ts";

/** One rule of a VirtualService, gathered over the listeners, hosts and matches in which it appears. */
export interface ServiceRule {
  /** Counts from 0. */
  readonly rule: number;
  readonly ruleName: string | undefined;
  /** `namespace/name` of the delegate that it was written in. */
  readonly delegate: string | undefined;
  /** Undefined for a rule that answers by itself: a redirect or a fixed response. */
  readonly movable: MovableRule | undefined;
}

/** A rule that forwards, with the weights it has. */
export interface MovableRule {
  readonly rule: number;
  readonly ruleName: string | undefined;
  readonly split: SplitId;
  /** Every match asks for a header, a query parameter or an authority, so the public does not come here by path alone. */
  readonly isConditional: boolean;
  readonly isCatchAll: boolean;
  /** What the conditions look at, without the values: rules of one shape tell requests apart by value. */
  readonly conditionShape: string;
  readonly arms: readonly RuleArm[];
  readonly declared: SplitWeights;
  readonly current: SplitWeights;
}

export interface RuleArm {
  readonly destination: DestinationId;
  readonly host: string;
  readonly subset: string | undefined;
  readonly port: string;
  readonly isDeclared: boolean;
}

/** A VirtualService as the route table shows it. */
export interface RoutedService {
  /** `namespace/name`. */
  readonly virtualService: string;
  readonly namespace: string;
  readonly name: string;
  /** The hosts by which gateways and sidecars know requests for it. */
  readonly domains: ReadonlySet<string>;
  /** By rule number. */
  readonly routes: ReadonlyMap<number, readonly Route[]>;
  /** `Ingress namespace/name` where that is what it is made from, which has no weights. */
  readonly madeFrom?: string | undefined;
}

/** A table never changes, and moves ask for the services of the same one again and again. */
const servicesOf = new WeakMap<RouteTable, readonly RoutedService[]>();

/** Every VirtualService that the table routes, in order of its name. */
export function buildRoutedServices(table: RouteTable): readonly RoutedService[] {
  const known = servicesOf.get(table);
  if (known !== undefined) return known;
  const services = gatherServices(table);
  servicesOf.set(table, services);
  return services;
}

function gatherServices(table: RouteTable): readonly RoutedService[] {
  const services = new Map<string, { domains: Set<string>; routes: Map<number, Route[]>; madeFrom?: string }>();
  const nameless = routingsOfOneService(table);
  for (const { id, virtualHosts, matchesPorts } of table.httpRoutings) {
    for (const virtualHost of virtualHosts) {
      for (const route of virtualHost.routes) {
        const { virtualService, rule, madeFrom } = route.origin;
        if (virtualService === "") continue;
        const found = services.get(virtualService) ?? {
          domains: new Set<string>(),
          routes: new Map<number, Route[]>(),
          ...(madeFrom === undefined ? {} : { madeFrom }),
        };
        services.set(virtualService, found);
        const { domain } = virtualHost;
        if (!nameless.has(id)) found.domains.add(matchesPorts === true ? domain.replace(/:\d+$/u, "") : domain);
        const routes = found.routes.get(rule);
        if (routes === undefined) found.routes.set(rule, [route]);
        else routes.push(route);
      }
    }
  }
  return [...services]
    .map(([virtualService, found]) => {
      const routes = new Map([...found.routes].map(([rule, each]) => [rule, keepLeading(each, table)]));
      return { ...nameParts(virtualService), virtualService, ...found, routes };
    })
    .toSorted((left, right) => (left.virtualService < right.virtualService ? -1 : 1));
}

/**
 * The routes of a rule without those that lead nowhere, unless all do. A rule for callers inside the mesh is on port 80
 * too, where its destinations mostly do not exist; nobody calls it there, and nobody moves it there.
 */
function keepLeading(routes: readonly Route[], { destinations }: RouteTable): readonly Route[] {
  const leading = routes.filter(
    ({ action }) =>
      action.kind !== "forward" || action.split.arms.some(({ destination }) => destinations.has(destination)),
  );
  return leading.length === 0 ? routes : leading;
}

/** Routings that take every host, because the listener itself stands for one service. */
function routingsOfOneService({ listeners }: RouteTable): ReadonlySet<string> {
  const ids = listeners
    .filter(({ role }) => role.kind === "outboundService")
    .flatMap(({ filterChains }) => filterChains.map(({ serves }) => (serves.kind === "http" ? serves.routing : "")));
  return new Set(ids);
}

function nameParts(virtualService: string): { namespace: string; name: string } {
  const slash = virtualService.indexOf("/");
  return { namespace: virtualService.slice(0, slash), name: virtualService.slice(slash + 1) };
}

/** The rules of one VirtualService in their order, with the current weights laid over the declared ones. */
export function buildServiceRules(service: RoutedService, current: WeightOverrides): readonly ServiceRule[] {
  return [...service.routes]
    .toSorted(([left], [right]) => left - right)
    .flatMap(([rule, routes]) => buildRuleParts({ rule, routes, current }));
}

/** The rules of these VirtualServices that forward, by their splits. */
export function buildMovableRules(
  table: RouteTable,
  { current, services }: { readonly current: WeightOverrides; readonly services: ReadonlySet<string> },
): ReadonlyMap<SplitId, MovableRule> {
  const routed = buildRoutedServices(table).filter(({ virtualService }) => services.has(virtualService));
  const rules = routed.flatMap((service) => buildServiceRules(service, current));
  return new Map(rules.flatMap(({ movable }) => (movable === undefined ? [] : [[movable.split, movable] as const])));
}

interface RuleSources {
  readonly rule: number;
  readonly routes: readonly Route[];
  readonly current: WeightOverrides;
}

/** A rule that leads elsewhere on another port, or for callers of another namespace, is one part for each of these. */
function buildRuleParts(sources: RuleSources): readonly ServiceRule[] {
  const { rule, routes } = sources;
  const splits = new Map<SplitId, Split>();
  for (const { action } of routes) {
    if (action.kind === "forward" && !splits.has(action.split.id)) splits.set(action.split.id, action.split);
  }
  const ruleName = routes.find(({ origin }) => origin.ruleName !== undefined)?.origin.ruleName;
  const delegate = routes[0]?.origin.delegate;
  if (splits.size === 0) return [{ rule, ruleName, delegate, movable: undefined }];
  return [...splits.values()].map((split) => buildServiceRule({ ...sources, ruleName, delegate, split }));
}

function buildServiceRule({
  rule,
  ruleName,
  delegate,
  routes,
  current,
  split,
}: RuleSources & Pick<ServiceRule, "ruleName" | "delegate"> & { readonly split: Split }): ServiceRule {
  const declared: Record<DestinationId, number> = {};
  const laidOver: Record<DestinationId, number> = {};
  const override = current.get(split.id);
  for (const arm of split.arms) {
    declared[arm.destination] = arm.weight;
    laidOver[arm.destination] = override === undefined ? arm.weight : (override[arm.destination] ?? 0);
  }
  const movable: MovableRule = {
    rule,
    ruleName,
    split: split.id,
    isConditional: routes.every((route) => conditionNames(route.match).length > 0),
    isCatchAll: routes.some((route) => isCatchAll(route.match)),
    conditionShape: [...new Set(routes.map((route) => shapeOf(route.match)))].toSorted().join(" or "),
    arms: split.arms.map((arm) => ({ ...destinationParts(arm.destination), isDeclared: arm.isDeclared })),
    declared,
    current: laidOver,
  };
  return { rule, ruleName, delegate, movable };
}

/** A destination that does not exist has no other description than its name. */
export function destinationParts(destination: DestinationId): Omit<RuleArm, "isDeclared"> {
  const { host, port, subset } = nameDestination(destination);
  return { destination, host, port: String(port), subset: subset ?? undefined };
}

/** Method and scheme say how something is asked, not who asks; an absent header is what the public has. */
function conditionNames(match: RouteMatch): readonly string[] {
  const headers = match.headers
    .filter((header) => !header.invert && header.name !== ":method" && header.name !== ":scheme")
    .map((header) => `header ${header.name}`);
  return [...headers, ...match.query.map((query) => `query ${query.name}`)];
}

function isCatchAll(match: RouteMatch): boolean {
  return (
    match.path.kind === "prefix" && match.path.value === "/" && match.headers.length === 0 && match.query.length === 0
  );
}

function shapeOf(match: RouteMatch): string {
  return [`${match.path.kind} ${match.path.value}`, ...conditionNames(match).toSorted()].join(", ");
}
