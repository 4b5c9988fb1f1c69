import { answerInstead } from "./answer-instead.ts";
import { findFilterChain } from "./find-filter-chain.ts";
import { findVirtualHosts, hostKeyOf, hostOf } from "./find-virtual-host.ts";
import { routingOf } from "./listener-parts.ts";
import { findUnmet, prepareRequest, type PreparedRequest } from "./match-request.ts";
import { mutateHeaders } from "./mutate-headers.ts";
import { normalizeTarget, type RequestPath } from "./request-path.ts";
import { resolveTarget, type RoutedRequest } from "./request-target.ts";
import { httpsLocation, redirectLocation, rewriteTarget } from "./rewrite-target.ts";
import type {
  Destination,
  DirectAction,
  FilterChain,
  ForwardAction,
  HeaderMutation,
  Listener,
  RedirectAction,
  Route,
  RouteTable,
  VirtualHost,
} from "./route-table.ts";
import { renderSteps } from "./simulation-steps.ts";
import type { SimulatedArm, SimulatedRequest, Simulation, SimulationResult } from "./simulation.ts";
import { sharesOf } from "./weights.ts";

/**
 * What a gateway does with a request, decided from the route table alone: it shares no code with the emitter, so that
 * the two can be held against each other. Never throws; linear in the number of routes of one virtual host and in the
 * length of the request. The steps are put into words only when they are read.
 */
export function simulate(table: RouteTable, request: SimulatedRequest): Simulation {
  const walk = walkTable(table, request);
  let steps: Simulation["steps"] | undefined;
  return {
    result: walk.result,
    listener: walk.listener,
    chain: walk.chain,
    get steps() {
      steps ??= renderSteps(walk);
      return steps;
    },
  };
}

/** How far a request came. */
export interface Walk {
  readonly table: RouteTable;
  readonly request: SimulatedRequest;
  readonly listener: Listener | undefined;
  readonly chain: FilterChain | undefined;
  /** The one that takes the request first. */
  readonly virtualHosts: readonly VirtualHost[];
  readonly prepared: PreparedRequest | undefined;
  /** The position of the route that took the request, among those of the first virtual host; -1 for none. */
  readonly taken: number;
  readonly result: SimulationResult;
}

function walkTable(table: RouteTable, sent: SimulatedRequest): Walk {
  const resolved = resolveTarget(sent);
  const request = resolved.kind === "request" ? resolved.request : { ...sent, forwardedProto: sent.scheme };
  const start = {
    table,
    request,
    listener: undefined,
    chain: undefined,
    virtualHosts: [],
    prepared: undefined,
    taken: -1,
  };
  const { listener, chain, virtualHosts } = findListener(table, sent, request.authority);
  if (listener === undefined) {
    return { ...start, result: { kind: "miss", cause: "no-listener" } };
  }
  if (chain === undefined) {
    return { ...start, listener, result: { kind: "miss", cause: "no-filter-chain" } };
  }
  if (resolved.kind === "rejected") {
    return { ...start, listener, chain, result: resolved };
  }
  const target = normalizeTarget(request.target);
  if (target === undefined) {
    return {
      ...start,
      listener,
      chain,
      result: { kind: "rejected", status: 400, reason: "the path is not a valid one" },
    };
  }
  const virtualHost = virtualHosts[0];
  if (virtualHost === undefined) {
    return { ...start, listener, chain, result: { kind: "miss", cause: "no-virtual-host" } };
  }
  const prepared = prepareRequest(request, target);
  const reached = { ...start, listener, chain, virtualHosts, prepared };
  if (virtualHost.requiresHttps && request.forwardedProto !== "https") {
    const location = httpsLocation(request, target);
    return { ...reached, result: { kind: "redirect", route: undefined, status: 301, location, responseChanges: [] } };
  }
  const taken = virtualHost.routes.findIndex((route) => findUnmet(route.match, prepared) === undefined);
  const route = virtualHost.routes[taken];
  if (route === undefined) {
    return { ...reached, result: { kind: "miss", cause: "no-route" } };
  }
  const instead = answerInstead(route, prepared);
  return { ...reached, taken, result: instead ?? act({ table, request, target, virtualHost, route }) };
}

/** Where a connection ends up before its first request is read. */
interface Reached {
  readonly listener: Listener | undefined;
  /** Undefined where the handshake is refused, or the bytes are not HTTP. */
  readonly chain: FilterChain | undefined;
  readonly virtualHosts: readonly VirtualHost[];
}

/**
 * Two gateway workloads can have one port; the one that serves the host is meant. The connection is what was sent, also
 * where the target is a whole URL with another scheme and host.
 */
function findListener(table: RouteTable, sent: SimulatedRequest, authority: string): Reached {
  let first: Reached | undefined;
  for (const listener of table.listeners) {
    if (!isReached(listener, sent)) {
      continue;
    }
    const chain = chooseChain(listener, sent);
    const routing = chain === undefined ? undefined : routingOf(table, chain);
    const virtualHosts = routing === undefined ? [] : findVirtualHosts(routing, hostKeyOf(routing, authority));
    const reached = { listener, chain: routing === undefined ? undefined : chain, virtualHosts };
    if (virtualHosts.length > 0) {
      return reached;
    }
    if (first === undefined || (first.chain === undefined && reached.chain !== undefined)) {
      first = reached;
    }
  }
  return first ?? { listener: undefined, chain: undefined, virtualHosts: [] };
}

/** Plain bytes never get through a chain that ends TLS, nor does a handshake through one that reads HTTP at once. */
function chooseChain({ filterChains }: Listener, request: SimulatedRequest): FilterChain | undefined {
  const isTls = request.scheme === "https";
  const serverName = request.sni ?? hostOf(request.authority);
  const chain = findFilterChain(filterChains, { isTls, serverName });
  return (chain?.tls === undefined) === isTls ? undefined : chain;
}

/** What a workload sends goes through the one listener that takes every HTTP port of every host. */
function isReached(listener: Listener, { from, port, proxy }: SimulatedRequest): boolean {
  return from === undefined
    ? listener.role.kind === "gateway" && listener.port === port && (proxy === undefined || listener.proxy === proxy)
    : listener.role.kind === "outboundHttp" && listener.proxy === from;
}

interface TakenRequest {
  readonly table: RouteTable;
  readonly request: RoutedRequest;
  readonly target: RequestPath;
  readonly virtualHost: VirtualHost;
  readonly route: Route;
}

function act(taken: TakenRequest): SimulationResult {
  const { request, target, route } = taken;
  const { action } = route;
  switch (action.kind) {
    case "forward":
      return forward(taken, action);
    case "redirect": {
      const location = redirectLocation(action, request, { target, match: route.match.path });
      return { kind: "redirect", route, status: action.status, location, responseChanges: changesOf(action) };
    }
    case "direct":
      return { kind: "direct", route, status: action.status, body: action.body, responseChanges: changesOf(action) };
  }
}

function changesOf({ responseHeaders }: RedirectAction | DirectAction): readonly HeaderMutation[] {
  return responseHeaders === undefined ? [] : [responseHeaders];
}

function forward(
  { table, request, target, virtualHost, route }: TakenRequest,
  action: ForwardAction,
): SimulationResult {
  const arms = weighArms(table, action, request);
  return {
    kind: "route",
    route,
    virtualHost,
    action,
    arms,
    target: rewriteTarget(target, route.match.path, action.pathRewrite),
    failure: failureOf(arms),
  };
}

/** Changes of an arm come before those of its rule, whose `set` therefore wins. Source: Envoy `config_impl.cc`. */
function weighArms(table: RouteTable, action: ForwardAction, request: SimulatedRequest): readonly SimulatedArm[] {
  const { arms } = action.split;
  const shares = sharesOf(arms);
  const weighed = arms.map((arm, index) => ({
    arm,
    destination: table.destinations.get(arm.destination),
    sharePercent: shares[index] ?? 0,
    authority: action.hostRewrite ?? arm.hostRewrite ?? request.authority,
    requestHeaders: mutateHeaders(request.headers, [arm.requestHeaders, action.requestHeaders]),
    responseChanges: [arm.responseHeaders, action.responseHeaders],
  }));
  const taking = weighed.filter(({ sharePercent }) => sharePercent > 0);
  return taking.length > 0 ? taking : weighed;
}

function failureOf(arms: readonly SimulatedArm[]): Extract<SimulationResult, { kind: "route" }>["failure"] {
  if (arms.some(({ destination }) => isReachable(destination))) {
    return undefined;
  }
  const isKnown = arms.some(({ destination }) => destination !== undefined);
  return { status: 503, flag: isKnown ? "UH" : "NC" };
}

/** A destination that is looked up by what the request names has no endpoints before that. */
function isReachable(destination: Destination | undefined): boolean {
  return destination !== undefined && (destination.endpoints.length > 0 || destination.resolution === "requestHost");
}
