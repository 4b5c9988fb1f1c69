import type { PreparedRequest } from "./match-request.ts";
import { matchesValue } from "./match-request.ts";
import type { CorsPolicy, Fault, Route } from "./route-table.ts";
import type { SimulationResult } from "./simulation.ts";

/**
 * The answer of a filter that comes before the route's own action: first a fault that always happens, then the answer
 * to a preflight. Faults that happen now and then are left to chance. Undefined where the action decides.
 * Source: Envoy `fault_filter.cc`, abortWithStatus; `cors_filter.cc`, decodeHeaders.
 */
export function answerInstead(
  route: Route,
  request: PreparedRequest,
): Extract<SimulationResult, { kind: "direct" }> | undefined {
  const { fault, cors } = route;
  if (fault?.abort !== undefined && fault.abort.percent >= 100) {
    const status = abortStatus(fault.abort, request);
    return { kind: "direct", route, by: "fault", status, body: abortBody, responseChanges: [] };
  }
  if (cors !== undefined && answersPreflight(cors, request)) {
    return { kind: "direct", route, by: "cors", status: 200, body: new Uint8Array(), responseChanges: [] };
  }
  return undefined;
}

const abortBody = new TextEncoder().encode("fault filter abort");

/** gRPC's own status travels in a header; the status of HTTP is 200 for callers that speak gRPC. */
function abortStatus(abort: NonNullable<Fault["abort"]>, { headers }: PreparedRequest): number {
  if (abort.kind === "http") return abort.status;
  const isGrpc = headers.get("content-type")?.some((value) => /^application\/grpc(?:$|\+)/.test(value)) === true;
  return isGrpc ? 200 : (httpStatuses[abort.status] ?? 500);
}

/** By gRPC's number. Source: Envoy `source/common/grpc/status.cc`, grpcToHttpStatus. */
const httpStatuses: readonly number[] = [
  200, 499, 500, 400, 504, 404, 409, 403, 429, 400, 409, 400, 501, 500, 503, 500, 401,
];

/** One origin that is not allowed goes on to the destination, unless the policy says that it does not. */
function answersPreflight(cors: CorsPolicy, { headers }: PreparedRequest): boolean {
  const origin = headers.get("origin")?.join(",") ?? "";
  const asked = headers.get("access-control-request-method")?.join(",") ?? "";
  const method = headers.get(":method")?.[0];
  if (method !== "OPTIONS" || origin === "" || asked === "") return false;
  return !cors.forwardsUnmatchedPreflights || cors.allowOrigins.some((each) => allows(each, origin));
}

/** A pattern that takes the text `*` allows everybody. */
function allows(pattern: CorsPolicy["allowOrigins"][number], origin: string): boolean {
  return matchesValue(pattern, "*") || matchesValue(pattern, origin);
}
