import type {
  Destination,
  FilterChain,
  HttpRouting,
  Listener,
  ListenerRole,
  Route,
  RouteTable,
  TcpRoute,
  VirtualHost,
} from "../../src/core/routes/route-table.ts";
import type { Secret, TlsTermination } from "../../src/core/routes/route-table-tls.ts";
import type { IssuedCertificate } from "../certificates.fixture.ts";
import { buildRoute } from "./xds-fixture.ts";

/** A filter chain in short: what it ends, whom it is for, and where it leads. */
export interface ChainSketch {
  readonly serverNames?: readonly string[];
  readonly tls?: Partial<TlsTermination>;
  /** Virtual hosts by domain, each with its routes. */
  readonly http?: Readonly<Record<string, readonly Route[]>> | readonly VirtualHost[];
  /** Destinations and their weights. */
  readonly tcp?: Readonly<Record<string, number>>;
}

export interface ListenerSketch {
  readonly port: number;
  readonly role?: ListenerRole;
  readonly chains: readonly ChainSketch[];
}

export interface TableSketch {
  readonly listeners: readonly ListenerSketch[];
  readonly destinations: readonly Destination[];
  readonly secrets?: readonly Secret[];
}

const proxy = "istio=ingressgateway";
const at = { file: "test.yaml", line: 1, column: 1 };

/** Builds a table of listeners with any filter chains. */
export function chainTable(sketch: TableSketch): RouteTable {
  const httpRoutings: HttpRouting[] = [];
  const listeners = sketch.listeners.map(({ port, role = { kind: "gateway" }, chains }): Listener => {
    const id = `${proxy}:${port}`;
    const filterChains = chains.map((chain, index): FilterChain => {
      const chainId = `${id}#${index}`;
      const tls = chain.tls === undefined ? undefined : { ...simpleTls, ...chain.tls };
      const base = { id: chainId, servers: [], serverNames: chain.serverNames ?? [], tls };
      if (chain.tcp !== undefined) return { ...base, serves: { kind: "tcp", route: tcpRoute(chainId, chain.tcp) } };
      httpRoutings.push({ id: chainId, virtualHosts: virtualHosts(chain.http ?? {}) });
      return { ...base, serves: { kind: "http", routing: chainId } };
    });
    return { id, proxy, role, port, bind: undefined, filterChains };
  });
  return {
    proxies: new Map([[proxy, { id: proxy, kind: "gateway", namespace: "istio-system", labels: {} }]]),
    listeners,
    httpRoutings,
    destinations: new Map(sketch.destinations.map((destination) => [destination.id, destination])),
    secrets: new Map((sketch.secrets ?? []).map((secret) => [secret.id, secret])),
  };
}

const simpleTls: TlsTermination = {
  mode: "simple",
  certificates: [],
  clientCa: undefined,
  clientNames: [],
  clientSpkiHashes: [],
  clientCertificateHashes: [],
  minVersion: undefined,
  maxVersion: undefined,
  cipherSuites: [],
};

function virtualHosts(http: NonNullable<ChainSketch["http"]>): readonly VirtualHost[] {
  if (isList(http)) return http;
  return Object.entries(http).map(([domain, routes]) => ({ domain, requiresHttps: false, routes }));
}

function isList(http: NonNullable<ChainSketch["http"]>): http is readonly VirtualHost[] {
  return Array.isArray(http);
}

function tcpRoute(id: string, weights: Readonly<Record<string, number>>): TcpRoute {
  const { action, origin } = buildRoute(`test/tcp/${id}`, weights);
  if (action.kind !== "forward") throw new Error("a route of weights forwards");
  return { origin, split: action.split };
}

/** A route that takes everything under a path to one version. */
export function routeTo(subset: string, over: Partial<Route> = {}): Route {
  return { ...buildRoute(`test/app/${subset}`, { [subset]: 1 }), ...over };
}

/** The same under a path, with changes of where it leads. */
export function routeAt(path: string, subset: string, over: Partial<Route> = {}): Route {
  const match = { path: { kind: "prefix" as const, value: path, ignoreCase: false }, headers: [], query: [] };
  return { ...buildRoute(`test/app${path}`, { [subset]: 1 }), match, origin: { ...origin, rule: 0 }, ...over };
}

const origin = { virtualService: "test/app", rule: 0, match: undefined, at };

export function certificateSecret(id: string, { certificate, key }: IssuedCertificate): Secret {
  return {
    id,
    kind: "certificate",
    chain: { kind: "inline", bytes: Buffer.from(certificate) },
    key: { kind: "inline", bytes: Buffer.from(key) },
  };
}

export function trustSecret(id: string, { certificate }: IssuedCertificate): Secret {
  return { id, kind: "trust", ca: { kind: "inline", bytes: Buffer.from(certificate) }, revocations: undefined };
}
