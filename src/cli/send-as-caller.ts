import { Agent, request, type IncomingMessage } from "node:http";
import { text } from "node:stream/consumers";
import type { CallerDetail } from "../api/types.ts";
import { KirikaeError } from "../core/diagnostics/error.ts";
import type { SimulatedRequest } from "../core/routes/simulation.ts";

export interface CallerAnswer {
  readonly status: number;
  readonly reason: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: string;
}

/** Sends requests as one workload does: through its sidecar, or past all rules where it has none. */
export interface CallerConnection extends Disposable {
  send(data: string | undefined): Promise<CallerAnswer>;
}

const answerTimeoutMs = 60_000;

/**
 * Opens the way that the caller's requests take. Without a sidecar each connection goes to the next ready endpoint of the
 * service, as kube-proxy would send it.
 * @throws KirikaeError KIR5062 for a service without a ready endpoint, exit status 3
 */
export function connectAsCaller(caller: CallerDetail, asked: SimulatedRequest): CallerConnection {
  const agent = new Agent({ keepAlive: caller.proxy !== null, maxSockets: 16 });
  const places = placesOf(caller, asked);
  let turn = 0;
  return {
    send(data) {
      const place = places[turn % places.length] ?? "";
      turn += 1;
      return sendTo(place, { caller, asked, agent, data });
    },
    [Symbol.dispose]: () => agent.destroy(),
  };
}

/** `host:port` to connect to, in turn. */
function placesOf({ proxy, direct, workload }: CallerDetail, asked: SimulatedRequest): readonly string[] {
  if (proxy !== null) return [proxy];
  if (direct === null) return [authorityWithPort(asked)];
  if (direct.endpoints.length > 0) return direct.endpoints;
  throw new KirikaeError("KIR5062", `${direct.host}:${direct.port} has no ready endpoint for ${workload}.`, {
    exitStatus: 3,
    hint: "`kirikae status` shows which replicas are ready.",
  });
}

interface Sending {
  readonly caller: CallerDetail;
  readonly asked: SimulatedRequest;
  readonly agent: Agent;
  readonly data: string | undefined;
}

async function sendTo(place: string, { caller, asked, agent, data }: Sending): Promise<CallerAnswer> {
  const authority = authorityWithPort(asked);
  // A proxy is told the whole URL: the host in it is what it goes by (RFC 9112, 3.2.2).
  const path = caller.proxy === null ? asked.target : `http://${authority}${asked.target}`;
  const [host, port] = splitPlace(place);
  const incoming = await new Promise<IncomingMessage>((resolve, reject) => {
    const outgoing = request({ host, port, path, method: asked.method, agent, timeout: answerTimeoutMs });
    outgoing.setHeader("host", asked.authority);
    for (const [name, value] of asked.headers) outgoing.appendHeader(name, value);
    outgoing.on("timeout", () => outgoing.destroy(new Error(`no answer within ${answerTimeoutMs / 1000} s`)));
    outgoing.on("error", reject);
    outgoing.on("response", resolve);
    outgoing.end(data);
  }).catch((error: unknown) => {
    throw notSent(place, error);
  });
  const body = await text(incoming).catch((error: unknown) => {
    throw notSent(place, error);
  });
  const { statusCode = 0, statusMessage = "", rawHeaders } = incoming;
  return { status: statusCode, reason: statusMessage, headers: pairsOf(rawHeaders), body };
}

function authorityWithPort({ authority, port }: SimulatedRequest): string {
  return port === 80 || /:\d+$/u.test(authority) ? authority : `${authority}:${port}`;
}

function splitPlace(place: string): readonly [host: string, port: number] {
  const found = /^(?:\[(?<six>[^\]]+)\]|(?<host>[^:]+))(?::(?<port>\d+))?$/u.exec(place)?.groups;
  return [found?.["six"] ?? found?.["host"] ?? place, Number(found?.["port"] ?? 80)];
}

function pairsOf(raw: readonly string[]): CallerAnswer["headers"] {
  const pairs: (readonly [string, string])[] = [];
  for (let index = 0; index < raw.length; index += 2) pairs.push([raw[index] ?? "", raw[index + 1] ?? ""]);
  return pairs;
}

function notSent(place: string, cause: unknown): KirikaeError {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new KirikaeError("KIR5062", `The request to ${place} was not answered: ${why}.`, {
    exitStatus: 3,
    hint: "`kirikae status` shows which proxies and workloads run.",
    cause,
  });
}
