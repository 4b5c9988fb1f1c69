import { type LinePlace, linePlaceOf } from "../core/diagnostics/position.ts";
import { findVirtualHosts, hostKeyOf } from "../core/routes/find-virtual-host.ts";
import { routingOf } from "../core/routes/listener-parts.ts";
import { renderMatch } from "../core/routes/match-request.ts";
import type {
  CorsPolicy,
  Fault,
  FilterChain,
  HeaderMatch,
  HeaderMutation,
  HttpRouting,
  Mirror,
  PathMatch,
  PathRewrite,
  QueryMatch,
  Retry,
  Route,
  RouteOrigin,
  RouteTable,
  Split,
  UnservedHost,
  VirtualHost,
} from "../core/routes/route-table.ts";
import { nameDestination, type NamedDestination } from "../core/routes/name-destination.ts";
import { sharesOf } from "../core/routes/weights.ts";
import { selectProxies, type ProxyChoice } from "./select-proxies.ts";

/** What `routes --json` prints: a contract with scripts. Null where there is nothing, counts from 0. */
export interface RouteListing {
  readonly listeners: readonly ListedListener[];
  /** Hosts of VirtualServices that no listener serves. */
  readonly unserved: readonly ListedUnserved[];
}

export interface ListedListener {
  readonly id: string;
  readonly proxy: { readonly id: string; readonly kind: "gateway" | "sidecar" };
  readonly role: string;
  /** The one service that a sidecar's listener is for; null for one that takes every HTTP service, and for gateways. */
  readonly service: string | null;
  readonly port: number;
  readonly bind: string | null;
  readonly filterChains: readonly ListedChain[];
}

export interface ListedChain {
  readonly id: string;
  /** Empty for the chain that takes what no other takes. */
  readonly serverNames: readonly string[];
  readonly tls: { readonly mode: string; readonly certificates: readonly string[] } | null;
  readonly servers: readonly { readonly gateway: string; readonly server: string; readonly at: LinePlace }[];
  /** Null for a chain of HTTP. */
  readonly tcp: (ListedOrigin & { readonly arms: readonly ListedArm[] }) | null;
  readonly virtualHosts: readonly ListedHost[];
}

export interface ListedHost {
  readonly domain: string;
  readonly aliases: readonly string[];
  readonly requiresHttps: boolean;
  readonly routes: readonly ListedRoute[];
}

interface ListedOrigin {
  readonly virtualService: string;
  /** `Ingress namespace/name` where the rule is written in one. */
  readonly madeFrom: string | null;
  readonly rule: number;
  readonly match: number | null;
  readonly at: LinePlace;
}

export interface ListedRoute extends ListedOrigin {
  readonly name: string | null;
  /** The conditions in words. */
  readonly conditions: string;
  readonly path: PathMatch;
  readonly headers: readonly HeaderMatch[];
  readonly query: readonly QueryMatch[];
  readonly action: ListedAction;
  readonly fault: Fault | null;
  readonly cors: CorsPolicy | null;
}

export type ListedAction =
  | {
      readonly kind: "forward";
      readonly arms: readonly ListedArm[];
      readonly pathRewrite: PathRewrite | null;
      readonly hostRewrite: string | null;
      /** 0 is no timeout. */
      readonly timeoutMs: number;
      readonly retry: Retry | null;
      readonly mirrors: readonly Mirror[];
      readonly requestHeaders: HeaderMutation;
      readonly responseHeaders: HeaderMutation;
    }
  | {
      readonly kind: "redirect";
      readonly status: number;
      readonly scheme: string | null;
      readonly host: string | null;
      readonly port: number | null;
      readonly path: { readonly kind: "full" | "prefix"; readonly value: string } | null;
    }
  | { readonly kind: "direct"; readonly status: number; readonly bodyBytes: number };

export interface ListedArm extends NamedDestination {
  readonly weightPercent: number;
  /** False where no such destination exists, so that its share fails with 503. */
  readonly exists: boolean;
}

interface ListedUnserved {
  readonly virtualService: string;
  readonly madeFrom: string | null;
  readonly host: string;
  readonly reason: string;
  readonly at: LinePlace;
}

export interface ListingChoice extends ProxyChoice {
  /** Only the virtual host that takes requests for this host. */
  readonly host?: string | undefined;
}

/** The part of a route table that is asked for, in match order, in words and in numbers. */
export function listRoutes(table: RouteTable, choice: ListingChoice): RouteListing {
  // What reaches a workload meets no rule, so that there is nothing to list.
  const chosen = selectProxies(table, choice).filter(({ listener }) => listener.role.kind !== "inbound");
  const listeners = chosen.map(({ listener, filterChains }): ListedListener => ({
    id: listener.id,
    proxy: { id: listener.proxy, kind: table.proxies.get(listener.proxy)?.kind ?? "gateway" },
    role: listener.role.kind,
    service: listener.role.kind === "outboundService" ? listener.role.host : null,
    port: listener.port,
    bind: listener.bind ?? null,
    filterChains: filterChains
      .map((chain) => listChain(table, chain, choice))
      .filter(({ virtualHosts }) => choice.host === undefined || virtualHosts.length > 0),
  }));
  const isWhole = choice.gateway === undefined && choice.from === undefined && choice.port === undefined;
  const unserved = (table.unserved ?? []).filter(({ host }) => choice.host === undefined || host === choice.host);
  const shown = listeners.filter(({ filterChains }) => choice.host === undefined || filterChains.length > 0);
  return { listeners: shown, unserved: isWhole ? unserved.map(listUnserved) : [] };
}

function listChain(table: RouteTable, chain: FilterChain, choice: ListingChoice): ListedChain {
  const { tls, serves } = chain;
  const routing = routingOf(table, chain);
  const tcp =
    serves.kind === "tcp" ? { ...listOrigin(serves.route.origin), arms: listArms(table, serves.route.split) } : null;
  return {
    id: chain.id,
    serverNames: chain.serverNames,
    tls: tls === undefined ? null : { mode: tls.mode, certificates: tls.certificates },
    servers: chain.servers.map(({ gateway, server, at }) => ({ gateway, server, at: linePlaceOf(at) })),
    tcp,
    virtualHosts: routing === undefined ? [] : chooseHosts(routing, chain, choice).map((host) => listHost(table, host)),
  };
}

/** Gateways that share a port share one routing; of another gateway's hosts nothing is said. */
function chooseHosts(
  routing: HttpRouting,
  { servers }: FilterChain,
  { host, gateway }: ListingChoice,
): readonly VirtualHost[] {
  const admitted = servers.filter((server) => gateway === undefined || server.gateway === gateway);
  const hosts =
    host === undefined ? routing.virtualHosts : findVirtualHosts(routing, hostKeyOf(routing, host)).slice(0, 1);
  if (gateway === undefined || admitted.length === servers.length) return hosts;
  const patterns = admitted.flatMap((server) => server.hosts);
  return hosts.filter(({ domain }) => patterns.some((pattern) => covers(pattern, domain) || covers(domain, pattern)));
}

function covers(pattern: string, host: string): boolean {
  return pattern === host || (pattern.startsWith("*") && host.endsWith(pattern.slice(1)));
}

function listHost(table: RouteTable, { domain, aliases, requiresHttps, routes }: VirtualHost): ListedHost {
  return { domain, aliases: aliases ?? [], requiresHttps, routes: routes.map((route) => listRoute(table, route)) };
}

export function listRoute(table: RouteTable, { origin, name, match, action, fault, cors }: Route): ListedRoute {
  return {
    ...listOrigin(origin),
    name: name === "" ? null : name,
    conditions: renderMatch(match),
    path: match.path,
    headers: match.headers,
    query: match.query,
    action: listAction(table, action),
    fault: fault ?? null,
    cors: cors ?? null,
  };
}

function listAction(table: RouteTable, action: Route["action"]): ListedAction {
  switch (action.kind) {
    case "forward": {
      const { timeoutMs, mirrors, requestHeaders, responseHeaders } = action;
      return {
        kind: "forward",
        arms: listArms(table, action.split),
        pathRewrite: action.pathRewrite ?? null,
        hostRewrite: action.hostRewrite ?? null,
        timeoutMs,
        retry: action.retry ?? null,
        mirrors,
        requestHeaders,
        responseHeaders,
      };
    }
    case "redirect":
      return {
        kind: "redirect",
        status: action.status,
        scheme: action.scheme ?? null,
        host: action.host ?? null,
        port: action.port ?? null,
        path: action.path ?? null,
      };
    case "direct":
      return { kind: "direct", status: action.status, bodyBytes: action.body.length };
  }
}

/** Those that take a share; where none does, all of them. */
function listArms(table: RouteTable, { arms }: Split): readonly ListedArm[] {
  const shares = sharesOf(arms);
  const listed = arms.map(({ destination }, index) => ({
    ...nameDestination(destination),
    weightPercent: Math.round((shares[index] ?? 0) * 100) / 100,
    exists: table.destinations.has(destination),
  }));
  const taking = listed.filter(({ weightPercent }) => weightPercent > 0);
  return taking.length > 0 ? taking : listed;
}

function listOrigin({ virtualService, madeFrom, rule, match, at }: RouteOrigin): ListedOrigin {
  return { virtualService, madeFrom: madeFrom ?? null, rule, match: match ?? null, at: linePlaceOf(at) };
}

function listUnserved({ virtualService, madeFrom, host, reason, at }: UnservedHost): ListedUnserved {
  return { virtualService, madeFrom: madeFrom ?? null, host, reason, at: linePlaceOf(at) };
}
