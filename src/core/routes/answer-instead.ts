import type { PreparedRequest } from "./match-request.ts";
import { matchesValue } from "./match-request.ts";
import type { CorsPolicy, HeaderMutation, Route } from "./route-table.ts";
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
    // The status of gRPC travels in a header of its own, whoever asks.
    const status = fault.abort.kind === "http" ? fault.abort.status : 200;
    return { kind: "direct", route, by: "fault", status, body: abortBody, responseChanges: changesOf(route) };
  }
  // A rule that answers by itself answers preflights in the same way.
  if (cors !== undefined && route.action.kind === "forward" && answersPreflight(cors, request)) {
    return { kind: "direct", route, by: "cors", status: 200, body: new Uint8Array(), responseChanges: [] };
  }
  return undefined;
}

/**
 * Answers to what would be forwarded are changed as those of its destination. The draw among several arms comes first,
 * so that only what the rule itself changes is sure. Source: Envoy `conn_manager_impl.cc`, sendLocalReply.
 */
function changesOf({ action }: Route): readonly HeaderMutation[] {
  if (action.kind !== "forward") return [];
  const arms = action.split.arms.filter(({ weight }) => weight > 0);
  const only = arms.length === 1 ? arms[0] : undefined;
  return only === undefined ? [action.responseHeaders] : [only.responseHeaders, action.responseHeaders];
}

const abortBody = new TextEncoder().encode("fault filter abort");

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
