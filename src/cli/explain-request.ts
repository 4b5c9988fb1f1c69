import { routeName } from "../core/envoy/route-name.ts";
import { passthroughId } from "../core/routes/outbound-fallback.ts";
import { describePassedOn } from "../core/routes/passed-on.ts";
import { explain, type ExplainedArm, type Explanation } from "../core/routes/explain.ts";
import { findCause } from "../core/routes/find-cause.ts";
import { findFilterChain } from "../core/routes/find-filter-chain.ts";
import { findInboundSteps, type InboundStep } from "../core/routes/inbound-steps.ts";
import { findPolicyOrigins, type PolicyOrigins } from "../core/routes/policy-origins.ts";
import type { FilterChain, Listener, RouteTable } from "../core/routes/route-table.ts";
import type { DestinationPolicy } from "../core/routes/route-table-policy.ts";
import { simulate } from "../core/routes/simulate.ts";
import type { SimulatedRequest, Simulation, SimulationResult, SimulationStep } from "../core/routes/simulation.ts";
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
  /** What is passed in the sidecar of the workload that is reached, replica by replica; empty without one. */
  readonly inbound: readonly InboundStep[];
}

export interface ExplainedPolicy extends PolicyOrigins {
  readonly cluster: string;
  readonly policy: DestinationPolicy;
}

/** The whole way of one HTTP request. */
export function explainRequest({ mesh, table, addresses }: ExplainedMesh, request: SimulatedRequest): RequestAnswer {
  const simulation = simulate(table, request);
  const { result } = simulation;
  const explanation = explain(table, request, { endpoints: (name) => addresses.get(name) ?? [] });
  const reached = findReached(request, simulation);
  const clientNamespace = table.proxies.get(reached?.listener.proxy ?? "")?.namespace ?? "";
  return {
    ...explanation,
    virtualService: explanation.virtualService === "" ? null : explanation.virtualService,
    ...describeRoute(table, result),
    ...describeReached(reached),
    virtualHost: result.kind === "route" ? result.virtualHost.domain : nameTakenHost(explanation.steps),
    sent: describeSent(result),
    location: result.kind === "redirect" ? result.location : null,
    cause:
      findCause(result, { mesh, clientNamespace }) ?? whyPassedOn(mesh, request, { result, clientNamespace }) ?? null,
    policies: describePolicies({ mesh, table, clientNamespace }, explanation.arms),
    inbound: findInboundSteps(table, clustersOf(explanation.arms)),
    ...(isReset(result) ? { outcome: "reset", filterChain: null, cause: whyReset(reached, request) } : {}),
  };
}

function isReset(result: SimulationResult): boolean {
  return result.kind === "miss" && result.cause === "no-filter-chain";
}

function whyPassedOn(
  mesh: Mesh,
  { authority, port }: SimulatedRequest,
  { result, clientNamespace }: { readonly result: SimulationResult; readonly clientNamespace: string },
): string | undefined {
  const isPassedOn = result.kind === "route" && result.arms.some(({ arm }) => arm.destination === passthroughId);
  return isPassedOn ? describePassedOn(mesh, { authority, port, namespace: clientNamespace }) : undefined;
}

function describeReached(reached: Reached | undefined): Pick<RequestAnswer, "listener" | "filterChain"> {
  if (reached === undefined) return { listener: null, filterChain: null };
  const { listener, chain } = reached;
  return { listener: describeListener(listener), filterChain: chain === undefined ? null : describeChain(chain) };
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

export const emptyAnswer: RequestAnswer = {
  outcome: "reset",
  status: 0,
  flag: null,
  virtualService: null,
  madeFrom: null,
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
  inbound: [],
};

/** Where the request came to; for a connection that is reset the chain that its name belongs to, which reads no HTTP. */
function findReached(request: SimulatedRequest, { listener, chain }: Simulation): Reached | undefined {
  if (listener === undefined) return undefined;
  const start = { isTls: request.scheme === "https", serverName: request.sni ?? hostOf(request.authority) };
  return { listener, chain: chain ?? findFilterChain(listener.filterChains, start) };
}

interface Reached {
  readonly listener: Listener;
  /** Undefined where no chain takes the connection. */
  readonly chain: FilterChain | undefined;
}

/** In the names that the port knows, because a wrong one is the usual reason. */
function whyReset(reached: Reached | undefined, { port, scheme, sni, authority }: SimulatedRequest): string {
  if (scheme === "http")
    return `port ${port} speaks TLS only, and the request is plain, so that the connection is reset`;
  if (reached?.chain !== undefined) return `port ${port} passes TLS for ${sni ?? hostOf(authority)} on as it is`;
  const names = (reached?.listener.filterChains ?? []).flatMap(({ serverNames }) => serverNames);
  return `no filter chain of port ${port} takes the server name ${sni ?? hostOf(authority)}, so that the connection is reset; names are ${names.join(", ") || "none"}`;
}

function nameTakenHost(steps: readonly SimulationStep[]): string | null {
  return steps.find(({ tried, taken }) => tried === "virtualHost" && taken)?.name ?? null;
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

export function clustersOf(arms: readonly Pick<ExplainedArm, "cluster">[]): readonly string[] {
  return arms.map(({ cluster }) => cluster);
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
