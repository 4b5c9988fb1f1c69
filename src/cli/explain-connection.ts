import { linePlaceOf } from "../core/diagnostics/position.ts";
import type { ExplainedArm } from "../core/routes/explain.ts";
import { findFilterChain, type ConnectionStart } from "../core/routes/find-filter-chain.ts";
import type { Destination, FilterChain, Listener, RouteTable, TcpRoute } from "../core/routes/route-table.ts";
import { passthroughId } from "../core/routes/outbound-fallback.ts";
import { describePassedOn, passesUnknown } from "../core/routes/passed-on.ts";
import { resolveCallerHost } from "../core/mesh/resolve-caller-host.ts";
import { serviceListenersOf } from "../core/routes/outbound-listeners.ts";
import type { SimulationStep } from "../core/routes/simulation.ts";
import { nameDestination } from "../core/routes/name-destination.ts";
import { sharesOf } from "../core/routes/weights.ts";
import { findInboundSteps } from "../core/routes/inbound-steps.ts";
import {
  clustersOf,
  describeChain,
  describeListener,
  describePolicies,
  emptyAnswer,
  type ExplainedMesh,
  type RequestAnswer,
} from "./explain-request.ts";
import type { KnownAddresses } from "./known-addresses.ts";

/** A connection that carries bytes, not requests. */
export interface AskedConnection extends ConnectionStart {
  /** The workload with a sidecar that opens it; undefined for one from outside. */
  readonly from: string | undefined;
  readonly host: string;
  readonly port: number;
}

/** The whole way of one connection: the listener, the filter chain by its server name, the shares and the policy. */
export function explainConnection({ mesh, table, addresses }: ExplainedMesh, asked: AskedConnection): RequestAnswer {
  const listener = findListener(table, asked);
  if (listener === undefined) {
    return passOn({ mesh, table }, asked) ?? { ...emptyAnswer, cause: whyNoListener({ mesh, table }, asked) };
  }
  const reached = { ...emptyAnswer, listener: describeListener(listener) };
  const chain = findFilterChain(listener.filterChains, asked);
  if (chain === undefined) {
    const names = listener.filterChains.flatMap(({ serverNames }) => serverNames).join(", ");
    return {
      ...reached,
      steps: [chainStep(listener, undefined)],
      cause: `no filter chain takes ${describeStart(asked)}; names are ${names}`,
    };
  }
  const passed = { ...reached, filterChain: describeChain(chain), steps: [chainStep(listener, chain)] };
  if (chain.tls !== undefined && !asked.isTls) {
    return { ...passed, cause: "the chain ends TLS, so that a connection without it is closed" };
  }
  // Asked connections begin at a gateway or a caller, never before a workload.
  if (chain.serves.kind !== "tcp") {
    return { ...passed, cause: "the port carries HTTP, so that routes are chosen request by request; ask with --url" };
  }
  const clientNamespace = table.proxies.get(listener.proxy)?.namespace ?? "";
  return { ...passed, ...explainRoute({ mesh, table, addresses }, chain.serves.route, clientNamespace) };
}

/** What the mesh does not know goes where its name leads, unless the workload is kept to the registry. */
function passOn(
  { mesh, table }: Pick<ExplainedMesh, "mesh" | "table">,
  asked: AskedConnection,
): RequestAnswer | undefined {
  const { from, host, port } = asked;
  if (from === undefined || !passesUnknown(table, from)) return undefined;
  const namespace = table.proxies.get(from)?.namespace ?? "";
  const names = new Set(resolveCallerHost(mesh, host, namespace)?.ports.map(({ number }) => number));
  if (names.has(port)) return undefined;
  return {
    ...emptyAnswer,
    outcome: "tcp",
    arms: [{ ...nameDestination(passthroughId), weightPercent: 100, endpoints: [] }],
    cause: describePassedOn(mesh, { authority: host, port, namespace }),
  };
}

function explainRoute(
  { mesh, table, addresses }: ExplainedMesh,
  { origin, split }: TcpRoute,
  clientNamespace: string,
): Partial<RequestAnswer> {
  const arms = listArms(table, addresses, split.arms);
  const known = arms.filter(({ cluster }) => table.destinations.has(cluster));
  const isServed = known.some(({ cluster }) => (table.destinations.get(cluster)?.endpoints.length ?? 0) > 0);
  return {
    outcome: "tcp",
    flag: isServed ? null : known.length === 0 ? "NC" : "UH",
    virtualService: origin.virtualService === "" ? null : origin.virtualService,
    rule: origin.rule,
    match: origin.match ?? null,
    at: linePlaceOf(origin.at),
    arms,
    cause: isServed ? null : "no destination has an endpoint, so that the connection is closed",
    policies: describePolicies({ mesh, table, clientNamespace }, arms),
    inbound: findInboundSteps(table, clustersOf(arms)),
  };
}

function findListener(table: RouteTable, { from, host, port, ...start }: AskedConnection): Listener | undefined {
  if (from === undefined) {
    const listeners = table.listeners.filter((listener) => listener.role.kind === "gateway" && listener.port === port);
    return listeners.find(({ filterChains }) => findFilterChain(filterChains, start) !== undefined) ?? listeners[0];
  }
  const namespace = table.proxies.get(from)?.namespace ?? "";
  const names = new Set([
    host,
    `${host}.svc.cluster.local`,
    `${host}.cluster.local`,
    `${host}.${namespace}.svc.cluster.local`,
  ]);
  const listeners = serviceListenersOf(table, from);
  return listeners.find(({ listener, host: service }) => listener.port === port && names.has(service))?.listener;
}

function whyNoListener(
  { mesh, table }: Pick<ExplainedMesh, "mesh" | "table">,
  { from, host, port }: AskedConnection,
): string {
  if (from !== undefined && resolveCallerHost(mesh, host, table.proxies.get(from)?.namespace ?? "") === undefined) {
    return `the mesh knows no service ${host}, and ${from} is kept to what it knows (REGISTRY_ONLY)`;
  }
  if (from !== undefined) {
    return `${from} has no listener that carries bytes to ${host}:${port}; where the port speaks HTTP, ask with --url http://`;
  }
  const ports = [...new Set(table.listeners.filter(({ role }) => role.kind === "gateway").map((each) => each.port))];
  return `nothing listens on port ${port}; gateways have ${ports.join(", ") || "none"}`;
}

function chainStep(listener: Listener, chain: FilterChain | undefined): SimulationStep {
  const names = chain?.serverNames.join(", ") ?? "";
  return {
    tried: "listener",
    name: `port ${listener.port}`,
    taken: chain !== undefined,
    reason:
      chain === undefined
        ? "no chain takes it"
        : names === ""
          ? "its chain takes every connection"
          : `the chain of ${names} takes it`,
    at: chain?.servers[0]?.at,
  };
}

function describeStart({ isTls, serverName }: ConnectionStart): string {
  if (!isTls) return "a connection without TLS";
  return serverName === undefined ? "TLS without a server name" : `the server name ${serverName}`;
}

function listArms(
  table: RouteTable,
  addresses: KnownAddresses,
  arms: Parameters<typeof sharesOf>[0],
): readonly ExplainedArm[] {
  const shares = sharesOf(arms);
  const listed = arms.map(({ destination }, index) => ({
    ...nameDestination(destination),
    weightPercent: Math.round((shares[index] ?? 0) * 100) / 100,
    endpoints: (table.destinations.get(destination)?.endpoints ?? []).flatMap((endpoint) =>
      addressesOf(endpoint, addresses),
    ),
  }));
  const taking = listed.filter(({ weightPercent }) => weightPercent > 0);
  return taking.length > 0 ? taking : listed;
}

function addressesOf(endpoint: Destination["endpoints"][number], addresses: KnownAddresses): readonly string[] {
  if (endpoint.kind === "localWorkload") return addresses.get(endpoint.name) ?? [];
  const { address, port } = endpoint;
  return [address.includes(":") && !address.startsWith("[") ? `[${address}]:${port}` : `${address}:${port}`];
}
