import { request } from "node:http";
import { connect as connectHttp2 } from "node:http2";
import type { MovePlan } from "../../core/release/move/move.ts";
import { gainingDestinations } from "../../core/release/move/split-weights.ts";
import type { Destination, DestinationId, RouteTable } from "../../core/routes/route-table.ts";
import { findInboundSteps } from "../../core/routes/inbound-steps.ts";
import { type LocalEndpoints, resolveEndpoints } from "../../core/envoy/endpoints.ts";
import type { HostPort } from "../../core/envoy/endpoints.ts";
import type { PreflightCheck, PreflightReport } from "../../engine/ports.ts";

const answerTimeoutMs = 2_000;

/**
 * Checks that every destination that gains weight has ready endpoints, and that they answer HTTP: each of them, or, where
 * the plan asks for any, the first that does. A way back must not wait for the one replica that hangs.
 */
export async function checkDestinations(
  plan: MovePlan,
  table: RouteTable,
  local: LocalEndpoints,
): Promise<PreflightReport> {
  const { asks } = plan;
  if (asks === "none") return { ok: true, checks: [] };
  const gaining = [...findGaining(plan)].map((id) => {
    const version = plan.versions.find(({ destinations }) => destinations.includes(id))?.name ?? id;
    return { id, version, ...(asks === undefined ? {} : { asks }) };
  });
  return await checkEach(gaining, { table, local });
}

/** The same for destinations that are to get requests without any weight. */
export async function checkEach(
  gaining: readonly Omit<GainingDestination, "destination">[],
  { table, local }: { readonly table: RouteTable; readonly local: LocalEndpoints },
): Promise<PreflightReport> {
  const checks = await Promise.all(
    gaining.map((each) => checkDestination({ ...each, destination: findDestination(table, each.id) }, local)),
  );
  return { ok: checks.flat().every(({ verdict }) => verdict === "pass"), checks: checks.flat() };
}

function findGaining({ changes }: MovePlan): ReadonlySet<DestinationId> {
  return new Set(changes.flatMap(({ before, after }) => gainingDestinations(before, after)));
}

/** Endpoints are asked in the HTTP that reaches them: a sidecar before them may speak another than its caller does. */
function findDestination(table: RouteTable, id: DestinationId): Destination | undefined {
  const destination = table.destinations.get(id);
  const inbound = findInboundSteps(table, [id]).find(({ protocol }) => protocol !== "tcp");
  return destination === undefined
    ? undefined
    : { ...destination, protocol: inbound?.protocol ?? destination.protocol };
}

interface GainingDestination {
  readonly id: DestinationId;
  /** As the plan calls it. */
  readonly version: string;
  readonly destination: Destination | undefined;
  /** Absent is every endpoint. */
  readonly asks?: "any";
}

async function checkDestination(
  { id, version, destination, asks }: GainingDestination,
  local: LocalEndpoints,
): Promise<PreflightCheck[]> {
  const name = `endpoints of ${version}`;
  if (destination === undefined) return [{ name, verdict: "fail", detail: `${id} is not declared` }];
  const endpoints = resolveEndpoints(destination, local);
  if (endpoints.length === 0) return [{ name, verdict: "fail", detail: `${id} has no ready endpoint` }];
  const asked = endpoints.map((endpoint) => checkEndpoint(endpoint, destination));
  const answers = asks === "any" ? await firstToAnswer(asked) : await Promise.all(asked);
  return [{ name, verdict: "pass", detail: `${endpoints.length} ready` }, ...answers];
}

/** The first check that passes, or all of them where none does. */
async function firstToAnswer(asked: readonly Promise<PreflightCheck>[]): Promise<readonly PreflightCheck[]> {
  const passed = asked.map(async (each) => {
    const check = await each;
    if (check.verdict !== "pass") throw new Error(check.detail);
    return check;
  });
  try {
    return [await Promise.any(passed)];
  } catch (error) {
    if (!(error instanceof AggregateError)) throw error;
    return await Promise.all(asked);
  }
}

/** Any status below 500 shows that the application is there; which path it likes is not known. */
async function checkEndpoint(endpoint: HostPort, destination: Destination): Promise<PreflightCheck> {
  const name = `answer of ${endpoint.address}:${endpoint.port}`;
  const ask = destination.protocol === "http2" ? askHttp2 : askHttp1;
  try {
    const status = await ask(endpoint, destination.host);
    return { name, verdict: status > 0 && status < 500 ? "pass" : "fail", detail: `GET / answered ${status}` };
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    return { name, verdict: "fail", detail: `GET / failed: ${error.message}` };
  }
}

function askHttp1({ address, port }: HostPort, host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const sent = request({ host: address, port, path: "/", agent: false, headers: { host } }, (response) => {
      resolve(response.statusCode ?? 0);
      response.destroy();
    });
    const timer = setTimeout(() => sent.destroy(new Error(`no answer within ${answerTimeoutMs} ms`)), answerTimeoutMs);
    sent.on("error", reject);
    sent.on("close", () => clearTimeout(timer));
    sent.end();
  });
}

function askHttp2({ address, port }: HostPort, host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const session = connectHttp2(`http://${address.includes(":") ? `[${address}]` : address}:${port}`);
    const timer = setTimeout(
      () => session.destroy(new Error(`no answer within ${answerTimeoutMs} ms`)),
      answerTimeoutMs,
    );
    session.on("error", reject);
    session.on("close", () => clearTimeout(timer));
    const stream = session.request({ ":path": "/", ":authority": host });
    stream.on("error", reject);
    stream.on("response", (headers) => {
      resolve(headers[":status"] ?? 0);
      session.destroy();
    });
    stream.end();
  });
}
