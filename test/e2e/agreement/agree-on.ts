import { isDeepStrictEqual } from "node:util";
import { type AskedConnection, explainConnection } from "../../../src/cli/explain-connection.ts";
import type { MeshModel } from "../../../src/core/mesh-model.ts";
import { findFilterChain } from "../../../src/core/routes/find-filter-chain.ts";
import { hostOf } from "../../../src/core/routes/find-virtual-host.ts";
import { mutateHeaders } from "../../../src/core/routes/mutate-headers.ts";
import { outboundListenerOf } from "../../../src/core/routes/outbound-listeners.ts";
import { splitAuthority } from "../../../src/core/routes/split-authority.ts";
import type { Destination, FilterChain, Listener, RouteTable } from "../../../src/core/routes/route-table.ts";
import { simulate } from "../../../src/core/routes/simulate.ts";
import type { SimulatedArm, SimulatedRequest, SimulationResult } from "../../../src/core/routes/simulation.ts";
import { comparedHeaders } from "../../arbitrary/header-changes.ts";
import { credentials } from "../../arbitrary/gateway-spec.ts";
import { upstreamAt } from "../../arbitrary/mesh-services.ts";
import type { Answer, Headers } from "./answer.ts";
import { askEnvoy } from "./ask-envoy.ts";
import { upstreamHeaders } from "./echo-upstreams.ts";
import type { ServedWorld } from "./served-world.ts";

/** What was foretold and what came; `kind` says what was met, so that a test can see that it has met everything. */
export interface Comparison {
  readonly kind: string;
  readonly agrees: boolean;
  readonly foretold: unknown;
  readonly seen: Answer;
  /** Requests with the same text here go to the same endpoint of their destination. */
  readonly sticksTo?: string | undefined;
}

/** Undefined where nothing listens. */
export async function agreeOnRequest(
  world: ServedWorld,
  model: MeshModel,
  request: SimulatedRequest,
): Promise<Comparison | undefined> {
  const { table } = model;
  const listener = listenerOf(table, request);
  if (listener === undefined) return undefined;
  const chain = findFilterChain(listener.filterChains, startOf(request));
  const { from, port } = request;
  if (chain?.serves.kind === "tcp")
    return agreeOnConnection(world, model, { from, host: "", port, ...startOf(request) });
  const { result } = simulate(table, request);
  if (isLookedUp(result)) return undefined;
  const seen = await askEnvoy({
    port: world.portOf(listener),
    lines: linesOf(request).map((line) => world.locate(line)),
    serverName: request.scheme === "https" ? serverNameOf(request) : undefined,
  });
  const agrees = isShown(chain, seen) && isAnswer(result, request, seen);
  return { kind: kindOf(result), agrees, foretold: describe(result), seen, sticksTo: stickyTextOf(result, request) };
}

/** Where a destination hashes a header, as long as there is no draw between several arms. */
function stickyTextOf(result: SimulationResult, { headers }: SimulatedRequest): string | undefined {
  const only = result.kind === "route" && result.arms.length === 1 ? result.arms[0]?.destination : undefined;
  const balancer = only?.policy.loadBalancer;
  if (balancer?.kind !== "ringHash" && balancer?.kind !== "maglev") return undefined;
  const { key } = balancer;
  if (key.kind !== "header") return undefined;
  const value = headers.find(([name]) => name === key.name)?.[1];
  return value === undefined ? undefined : `${only?.id ?? ""} ${value}`;
}

/** The names that are asked for are nobody's; only addresses of this machine may be sent to. */
function isLookedUp(result: SimulationResult): boolean {
  return (
    result.kind === "route" &&
    result.arms.some(({ destination, authority }) => {
      return destination?.resolution === "requestHost" && !authority.startsWith("127.0.0.1:");
    })
  );
}

function describe(result: SimulationResult): unknown {
  if (result.kind !== "route") return { ...result, route: undefined, body: undefined };
  const { arms, target, failure } = result;
  return {
    kind: result.kind,
    target,
    failure,
    arms: arms.map(({ arm: { destination }, authority, requestHeaders, responseChanges }) => {
      return { destination, authority, requestHeaders, responseChanges };
    }),
  };
}

/** Undefined where nothing listens, or what listens reads requests. */
export async function agreeOnConnection(
  world: ServedWorld,
  { mesh, table }: MeshModel,
  asked: AskedConnection,
): Promise<Comparison | undefined> {
  const { listener, outcome, arms, flag, cause } = explainConnection({ mesh, table, addresses: new Map() }, asked);
  if (listener === null || (outcome !== "tcp" && cause?.includes("carries HTTP") === true)) return undefined;
  const seen = await askEnvoy({
    port: world.portOf(listener),
    lines: ["GET / HTTP/1.1", "host: bytes"],
    serverName: asked.isTls ? (asked.serverName ?? "") : undefined,
  });
  const isCarried = outcome === "tcp" && flag === null;
  const expected = arms.flatMap(({ endpoints }) =>
    endpoints.map((endpoint) => upstreamAt(Number(endpoint.split(":")[1]))),
  );
  const agrees = isCarried
    ? expected.some((name) => name === seen.upstream) ||
      (arms.some(({ endpoints }) => endpoints.length === 0) && seen.status === 0)
    : seen.status === 0 && seen.upstream === undefined;
  return { kind: isCarried ? "bytes" : "closed", agrees, foretold: { outcome, flag, cause, arms }, seen };
}

function listenerOf(table: RouteTable, { from, port }: SimulatedRequest): Listener | undefined {
  return from === undefined
    ? table.listeners.find((listener) => listener.role.kind === "gateway" && listener.port === port)
    : outboundListenerOf(table, from);
}

function startOf(request: SimulatedRequest): { readonly isTls: boolean; readonly serverName: string | undefined } {
  return { isTls: request.scheme === "https", serverName: serverNameOf(request) };
}

/** No client asks for an address by name (RFC 6066, section 3). */
function serverNameOf({ sni, authority }: SimulatedRequest): string {
  return sni ?? hostOf(authority).replace(/^(?:[0-9.]+|\[.*)$/, "");
}

/** A proxy has to read in the request which port a caller means; 80 goes without saying. */
function linesOf({ from, port, authority, method, target, headers }: SimulatedRequest): readonly string[] {
  const isTold = from === undefined || port === 80 || splitAuthority(authority).port !== "";
  return [
    `${method} ${target} HTTP/1.1`,
    `host: ${authority}${isTold ? "" : `:${port}`}`,
    ...headers.map(([name, value]) => `${name}: ${value}`),
    "content-length: 0",
    "connection: close",
  ];
}

function kindOf(result: SimulationResult): string {
  switch (result.kind) {
    case "route":
      return result.failure === undefined ? "route" : "failure";
    case "direct":
      return result.by ?? "direct";
    case "miss":
      return result.cause;
    case "redirect":
      return result.route === undefined ? "to https" : "redirect";
    case "rejected":
      return "rejected";
  }
}

/** Which chain ended TLS is seen by its certificate. */
function isShown(chain: FilterChain | undefined, { shown }: Answer): boolean {
  if (chain?.tls === undefined || !credentials.some((name) => name === shown)) return true;
  return chain.tls.certificates.some((id) => id.endsWith(`/${shown}`));
}

function isAnswer(result: SimulationResult, request: SimulatedRequest, seen: Answer): boolean {
  switch (result.kind) {
    case "miss":
      return result.cause === "no-filter-chain" ? seen.status === 0 : isLocalReply({ request, seen }, 404, "");
    case "rejected":
      return isLocalReply({ request, seen }, result.status, undefined);
    case "redirect":
      return (
        isLocalReply({ request, seen }, result.status, undefined) &&
        seen.location === result.location &&
        isSame(seen.answerHeaders, mutateHeaders([], result.responseChanges))
      );
    case "direct":
      return (
        isLocalReply({ request, seen }, result.status, Buffer.from(result.body).toString()) &&
        (isDrawn(result) || isSame(seen.answerHeaders, mutateHeaders([], result.responseChanges)))
      );
    case "route":
      return result.arms.some((arm) => wentTo(arm, result, { request, seen }));
  }
}

/** What the proxy says by itself. A call of gRPC learns of it by `grpc-status` alone; an answer to HEAD has no body. */
function isLocalReply({ request, seen }: Exchange, status: number, body: string | undefined): boolean {
  if (seen.upstream !== undefined) return false;
  const isGrpc = request.headers.some(
    ([name, value]) => name === "content-type" && /^application\/grpc(?:$|\+)/.test(value),
  );
  if (isGrpc && seen.status === 200) return true;
  return seen.status === status && (body === undefined || request.method === "HEAD" || seen.body === body);
}

/** An arm was drawn before the answer was made, and its changes were made to it. */
function isDrawn({ by, route: { action } }: Extract<SimulationResult, { kind: "direct" }>): boolean {
  return by === "fault" && action.kind === "forward" && action.split.arms.filter(({ weight }) => weight > 0).length > 1;
}

interface Exchange {
  readonly request: SimulatedRequest;
  readonly seen: Answer;
}

function wentTo(
  arm: SimulatedArm,
  { target, failure }: Extract<SimulationResult, { kind: "route" }>,
  { request, seen }: Exchange,
): boolean {
  const expected = upstreamsOf(arm.destination, arm.authority);
  const isServed = expected.length > 0;
  const answered = mutateHeaders(isServed ? upstreamHeaders : [], arm.responseChanges);
  if (!isSame(seen.answerHeaders, answered)) return false;
  if (!isServed) return isLocalReply({ request, seen }, failure?.status ?? 503, undefined);
  return (
    expected.some((name) => name === seen.upstream) &&
    seen.target === target &&
    isSameAuthority(seen.authority ?? "", arm.authority) &&
    isSame(seen.requestHeaders ?? [], arm.requestHeaders)
  );
}

/** By endpoint; a destination that the request names is where its Host header says. */
function upstreamsOf(destination: Destination | undefined, authority: string): readonly string[] {
  if (destination?.resolution === "requestHost") return [upstreamAt(Number(splitAuthority(authority).port)) ?? ""];
  return (destination?.endpoints ?? []).flatMap((endpoint) =>
    endpoint.kind === "address" ? (upstreamAt(endpoint.port) ?? []) : [],
  );
}

/** Ports of this machine stand for others. */
function isSameAuthority(seen: string, foretold: string): boolean {
  return seen === foretold || foretold.startsWith("127.0.0.1");
}

/** The order counts among values of one name only. */
function isSame(left: Headers, right: Headers): boolean {
  return comparedHeaders.every((name) => isDeepStrictEqual(valuesOf(left, name), valuesOf(right, name)));
}

function valuesOf(headers: Headers, name: string): readonly string[] {
  return headers.flatMap(([each, value]) => (each.toLowerCase() === name ? [value.trim()] : []));
}
