import { type LinePlace, linePlaceOf } from "../diagnostics/position.ts";
import { nameDestination } from "./name-destination.ts";
import type { RouteTable } from "./route-table.ts";
import { simulate } from "./simulate.ts";
import type { SimulatedArm, SimulatedRequest, SimulationResult, SimulationStep } from "./simulation.ts";

/** What `explain --json` prints; a contract with scripts, kept stable. */
export interface Explanation {
  /** A request that the proxy refuses before routing (400, 403) is a miss too. */
  readonly outcome: "route" | "redirect" | "direct" | "miss";
  /**
   * What the client sees. For a route that works it is the destination's own answer, given here as 200; 0 where the
   * connection is refused or reset before there can be an answer.
   */
  readonly status: number;
  /** Envoy's response flag, such as `NR`, `NC` or `UH`; null when a request is answered. */
  readonly flag: string | null;
  /** `namespace/name`. */
  readonly virtualService: string | null;
  /** `Ingress namespace/name` where the rule is written in one; `virtualService` is then what Istio makes of it. */
  readonly madeFrom: string | null;
  /** Counts from 0. */
  readonly rule: number | null;
  /** Counts from 0; null for a rule without conditions. */
  readonly match: number | null;
  /** The route's name; null where it has none. */
  readonly name: string | null;
  /** Those that take a share. */
  readonly arms: readonly ExplainedArm[];
  readonly at: LinePlace | null;
  readonly steps: readonly SimulationStep[];
}

export interface ExplainedArm {
  readonly cluster: string;
  readonly host: string;
  readonly subset: string | null;
  readonly port: number;
  readonly weightPercent: number;
  /** `address:port`. */
  readonly endpoints: readonly string[];
}

export interface ExplainOptions {
  /** Addresses of the replicas of a local workload (`namespace/name`), as far as they are known. */
  endpoints(localWorkload: string): readonly string[];
}

/** Which rule takes a request, where that is written, where the request goes, and why earlier rules did not take it. */
export function explain(table: RouteTable, request: SimulatedRequest, options: ExplainOptions): Explanation {
  const { result, steps } = simulate(table, request);
  return {
    ...outcomeOf(result),
    ...originOf(result),
    arms: armsOf(result, table, options),
    steps: withResult(steps, result),
  };
}

function outcomeOf(result: SimulationResult): Pick<Explanation, "outcome" | "status" | "flag"> {
  switch (result.kind) {
    case "route":
      return { outcome: "route", status: result.failure?.status ?? 200, flag: result.failure?.flag ?? null };
    case "redirect":
      return { outcome: "redirect", status: result.status, flag: null };
    case "direct":
      return { outcome: "direct", status: result.status, flag: result.by === "fault" ? "FI" : null };
    case "miss":
      return result.cause === "no-filter-chain" || result.cause === "no-listener"
        ? { outcome: "miss", status: 0, flag: null }
        : { outcome: "miss", status: 404, flag: "NR" };
    case "rejected":
      return { outcome: "miss", status: result.status, flag: null };
  }
}

function originOf(
  result: SimulationResult,
): Pick<Explanation, "virtualService" | "madeFrom" | "rule" | "match" | "name" | "at"> {
  const route = result.kind === "miss" || result.kind === "rejected" ? undefined : result.route;
  if (route === undefined) {
    return { virtualService: null, madeFrom: null, rule: null, match: null, name: null, at: null };
  }
  const { virtualService, madeFrom, rule, match, at } = route.origin;
  return {
    virtualService,
    madeFrom: madeFrom ?? null,
    rule,
    match: match ?? null,
    name: route.name === "" ? null : route.name,
    at: linePlaceOf(at),
  };
}

function armsOf(result: SimulationResult, table: RouteTable, options: ExplainOptions): readonly ExplainedArm[] {
  if (result.kind !== "route") {
    return [];
  }
  return result.arms.map((arm) => ({
    ...identityOf(arm),
    weightPercent: Math.round(arm.sharePercent * 100) / 100,
    endpoints: (table.destinations.get(arm.arm.destination)?.endpoints ?? []).flatMap((endpoint) =>
      endpoint.kind === "address" ? [renderAddress(endpoint)] : options.endpoints(endpoint.name),
    ),
  }));
}

/** A destination that does not exist is still known by its name, which holds port, subset and host. */
function identityOf({ arm }: SimulatedArm): Pick<ExplainedArm, "cluster" | "host" | "subset" | "port"> {
  return nameDestination(arm.destination);
}

function renderAddress({ address, port }: { readonly address: string; readonly port: number }): string {
  return address.includes(":") && !address.startsWith("[") ? `[${address}]:${port}` : `${address}:${port}`;
}

/** What the rule does with the request belongs to the step that took it. */
function withResult(steps: readonly SimulationStep[], result: SimulationResult): readonly SimulationStep[] {
  const consequence = [consequenceOf(result), chanceOf(result)].filter((part) => part !== undefined).join("; ");
  const last = steps.at(-1);
  if (consequence === "" || last === undefined) {
    return steps;
  }
  return [...steps.slice(0, -1), { ...last, reason: `${last.reason}; ${consequence}` }];
}

function consequenceOf(result: SimulationResult): string | undefined {
  switch (result.kind) {
    case "route":
      return failureOf(result) ?? `the destination sees ${result.target} for ${authoritiesOf(result)}`;
    case "redirect":
      return result.route === undefined ? undefined : `it answers ${result.status} with Location ${result.location}`;
    case "direct":
      return consequenceOfDirect(result);
    case "miss":
    case "rejected":
      return undefined;
  }
}

function consequenceOfDirect({ by, status, route }: Extract<SimulationResult, { kind: "direct" }>): string {
  switch (by) {
    case "fault": {
      const abort = route.fault?.abort;
      const what = abort?.kind === "grpc" ? `${status} with gRPC status ${abort.status}` : String(status);
      return `its fault answers ${what} (FI) to every request`;
    }
    case "cors":
      return `its corsPolicy answers the preflight with ${status}`;
    case undefined:
      return `it answers ${status} itself`;
  }
}

/** What a fault does to some requests, or to all of them before they are answered. */
function chanceOf(result: SimulationResult): string | undefined {
  const fault = result.kind === "miss" || result.kind === "rejected" ? undefined : result.route?.fault;
  if (fault === undefined) return undefined;
  const parts: string[] = [];
  if (fault.delay !== undefined) {
    const whom = fault.delay.percent >= 100 ? "every request" : `${fault.delay.percent} % of the requests`;
    parts.push(`its fault holds ${whom} for ${fault.delay.delayMs} ms (DI)`);
  }
  if (fault.abort !== undefined && fault.abort.percent < 100) {
    const status = `${fault.abort.kind === "grpc" ? "gRPC status " : ""}${fault.abort.status}`;
    parts.push(`its fault answers ${status} (FI) to ${fault.abort.percent} % of the requests`);
  }
  return parts.length === 0 ? undefined : parts.join("; ");
}

function authoritiesOf({ arms }: Extract<SimulationResult, { kind: "route" }>): string {
  return [...new Set(arms.map(({ authority }) => authority))].join(" or ");
}

function failureOf(result: Extract<SimulationResult, { kind: "route" }>): string | undefined {
  const names = result.arms.map(({ arm }) => arm.destination).join(", ");
  switch (result.failure?.flag) {
    case "NC":
      return `but there is no such destination as ${names}, so the proxy answers 503 NC`;
    case "UH":
      return `but ${names} has no endpoint, so the proxy answers 503 UH`;
    case undefined:
      return undefined;
  }
}
