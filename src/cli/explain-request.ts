import { routeName } from "../core/envoy/route-name.ts";
import { explain, type ExplainedArm, type Explanation } from "../core/routes/explain.ts";
import { findCause } from "../core/routes/find-cause.ts";
import { findFilterChain, type ConnectionStart } from "../core/routes/find-filter-chain.ts";
import { findPolicyOrigins, type PolicyOrigins } from "../core/routes/policy-origins.ts";
import type { DestinationPolicy, FilterChain, Listener, RouteTable } from "../core/routes/route-table.ts";
import { simulate } from "../core/routes/simulate.ts";
import type { SimulatedRequest, SimulationResult, SimulationStep } from "../core/routes/simulation.ts";
import type { Mesh } from "../core/mesh/mesh.ts";
import { hostOf } from "../core/routes/find-virtual-host.ts";
import type { KnownAddresses } from "./known-addresses.ts";
import { listRoute, type ListedRoute } from "./list-routes.ts";

/** What is explained: the manifests, and where replicas listen. */
export interface ExplainedMesh {
  readonly mesh: Mesh;
  readonly table: RouteTable;
  readonly addresses: KnownAddresses;
}

/** What `explain --json` prints: the explanation, and the whole way around it. Null where there is nothing. */
export interface RequestAnswer extends Omit<Explanation, "outcome"> {
  /** `reset`: the connection ends before a request can be sent, and there is no status. `tcp`: bytes are carried. */
  readonly outcome: Explanation["outcome"] | "reset" | "tcp";
  readonly listener: { readonly id: string; readonly proxy: string; readonly port: number } | null;
  readonly filterChain: {
    readonly id: string;
    readonly serverNames: readonly string[];
    readonly tls: string | null;
  } | null;
  readonly virtualHost: string | null;
  /** The route's name in Envoy, as `%ROUTE_NAME%` shows it in access logs. */
  readonly routeName: string | null;
  /** What the route does, as `routes` lists it. */
  readonly action: ListedRoute["action"] | null;
  readonly fault: ListedRoute["fault"];
  readonly cors: ListedRoute["cors"];
  /** What destinations see. */
  readonly sent: { readonly target: string; readonly authorities: readonly string[] } | null;
  /** Where a redirect leads. */
  readonly location: string | null;
  /** Why it ends with an error, in plain words. */
  readonly cause: string | null;
  readonly policies: readonly ExplainedPolicy[];
}

export interface ExplainedPolicy extends PolicyOrigins {
  readonly cluster: string;
  readonly policy: DestinationPolicy;
}

/** The listener and the chain that take a connection. */
export interface ChosenChain {
  readonly listener: Listener;
  /** Undefined where no chain takes it, or the one that does speaks another language. */
  readonly chain: FilterChain | undefined;
}

/** The whole way of one HTTP request. */
export function explainRequest(
  explained: ExplainedMesh,
  request: SimulatedRequest,
  serverName: string | undefined,
): RequestAnswer {
  const start = { isTls: request.scheme === "https", serverName: serverName ?? hostOf(request.authority) };
  const chosen = request.from === undefined ? chooseChain(explained.table, request.port, start) : undefined;
  if (chosen === undefined) return explainRouting(explained, request);
  const { listener, chain } = chosen;
  if (chain === undefined) return explainReset(listener, request.port, start);
  const answer = explainRouting({ ...explained, table: withOneChain(explained.table, listener, chain) }, request);
  return { ...answer, steps: withChainStep(answer.steps, chain, start) };
}

/** The way from the virtual hosts on, which is the same for every caller. */
function explainRouting({ mesh, table, addresses }: ExplainedMesh, request: SimulatedRequest): RequestAnswer {
  const { result } = simulate(table, request);
  const explanation = explain(table, request, { endpoints: (name) => addresses.get(name) ?? [] });
  const reached = findReached(table, request, result);
  const clientNamespace = table.proxies.get(reached?.listener.proxy ?? "")?.namespace ?? "";
  return {
    ...explanation,
    virtualService: explanation.virtualService === "" ? null : explanation.virtualService,
    ...describeRoute(table, result),
    listener: reached === undefined ? null : describeListener(reached.listener),
    filterChain: reached === undefined ? null : describeChain(reached.chain),
    virtualHost: result.kind === "route" ? result.virtualHost.domain : nameTakenHost(explanation.steps),
    sent: describeSent(result),
    location: result.kind === "redirect" ? result.location : null,
    cause: findCause(result, { mesh, clientNamespace }) ?? null,
    policies: describePolicies({ mesh, table, clientNamespace }, explanation.arms),
  };
}

function describeRoute(
  table: RouteTable,
  result: SimulationResult,
): Pick<RequestAnswer, "routeName" | "action" | "fault" | "cors"> {
  const route = "route" in result ? result.route : undefined;
  if (route === undefined) return { routeName: null, action: null, fault: null, cors: null };
  const { action, fault, cors } = listRoute(table, route);
  return { routeName: routeName(route), action, fault, cors };
}

/** Undefined where nothing listens. Several proxies can have one port; the first whose chain takes the start is meant. */
export function chooseChain(table: RouteTable, port: number, start: ConnectionStart): ChosenChain | undefined {
  const listeners = table.listeners.filter((listener) => listener.role.kind === "gateway" && listener.port === port);
  const chosen = listeners.map((listener) => ({ listener, chain: usableChain(listener, start) }));
  return chosen.find(({ chain }) => chain !== undefined) ?? chosen[0];
}

/** TLS bytes fit only a chain that ends TLS or passes bytes on, and plain bytes only one that does not end TLS. */
function usableChain(listener: Listener, start: ConnectionStart): FilterChain | undefined {
  const chain = findFilterChain(listener.filterChains, start);
  if (chain === undefined || (chain.tls !== undefined && !start.isTls)) return undefined;
  return chain;
}

/** Chains of plain HTTP take every scheme, because a balancer in front may have ended TLS. */
function withOneChain(table: RouteTable, listener: Listener, chain: FilterChain): RouteTable {
  if (listener.filterChains.length === 1) return table;
  const one = { ...listener, filterChains: [chain] };
  return { ...table, listeners: table.listeners.map((each) => (each === listener ? one : each)) };
}

function explainReset(listener: Listener, port: number, start: ConnectionStart): RequestAnswer {
  const names = listener.filterChains.flatMap(({ serverNames }) => serverNames);
  const cause = start.isTls
    ? `no filter chain of port ${port} takes the server name ${start.serverName ?? "(none)"}; chains take ${names.join(", ") || "no TLS"}`
    : `port ${port} speaks TLS only, and the request is plain`;
  return {
    ...emptyAnswer,
    outcome: "reset",
    listener: describeListener(listener),
    cause: `${cause}, so that the connection is reset`,
  };
}

export const emptyAnswer: RequestAnswer = {
  outcome: "reset",
  status: 0,
  flag: null,
  virtualService: null,
  rule: null,
  match: null,
  name: null,
  arms: [],
  at: null,
  steps: [],
  listener: null,
  filterChain: null,
  virtualHost: null,
  routeName: null,
  action: null,
  fault: null,
  cors: null,
  sent: null,
  location: null,
  cause: null,
  policies: [],
};

/** The listener that a simulation went through. */
function findReached(table: RouteTable, request: SimulatedRequest, result: SimulationResult) {
  const candidates = table.listeners.filter((listener) =>
    request.from === undefined
      ? listener.role.kind === "gateway" && listener.port === request.port
      : listener.role.kind === "outboundHttp" && listener.proxy === request.from,
  );
  const chains = candidates.flatMap((listener) => listener.filterChains.map((chain) => ({ listener, chain })));
  if (result.kind !== "route") return chains[0];
  const routing = table.httpRoutings.find(({ virtualHosts }) => virtualHosts.includes(result.virtualHost));
  return chains.find(({ chain }) => chain.serves.kind === "http" && chain.serves.routing === routing?.id) ?? chains[0];
}

function nameTakenHost(steps: readonly SimulationStep[]): string | null {
  return steps.find(({ tried, taken }) => tried === "virtualHost" && taken)?.name ?? null;
}

function withChainStep(
  steps: readonly SimulationStep[],
  chain: FilterChain,
  { isTls, serverName }: ConnectionStart,
): readonly SimulationStep[] {
  const [listener, ...rest] = steps;
  if (listener === undefined || !listener.taken || !isTls || chain.tls === undefined) return steps;
  const names = chain.serverNames.join(", ");
  const reason =
    names === ""
      ? "no chain has the server name, and this one takes every other"
      : `the client asks for ${serverName ?? "no name"}, which ${names} takes`;
  return [listener, { tried: "listener", name: `chain ${chain.id}`, taken: true, reason, at: undefined }, ...rest];
}

export function describeListener({ id, proxy, port }: Listener): NonNullable<RequestAnswer["listener"]> {
  return { id, proxy, port };
}

export function describeChain({ id, serverNames, tls }: FilterChain): NonNullable<RequestAnswer["filterChain"]> {
  return { id, serverNames, tls: tls?.mode ?? null };
}

function describeSent(result: SimulationResult): RequestAnswer["sent"] {
  if (result.kind !== "route" || result.failure !== undefined) return null;
  return { target: result.target, authorities: [...new Set(result.arms.map(({ authority }) => authority))] };
}

/** The policy of each destination that takes a share, with the origin of each block. */
export function describePolicies(
  {
    mesh,
    table,
    clientNamespace,
  }: { readonly mesh: Mesh; readonly table: RouteTable; readonly clientNamespace: string },
  arms: readonly Pick<ExplainedArm, "cluster">[],
): readonly ExplainedPolicy[] {
  return arms.flatMap(({ cluster }) => {
    const destination = table.destinations.get(cluster);
    if (destination === undefined) return [];
    return [{ cluster, policy: destination.policy, ...findPolicyOrigins(mesh, destination, clientNamespace) }];
  });
}
