import { request as requestHttp, type IncomingMessage } from "node:http";
import { request as requestHttps } from "node:https";
import { probeHeader, probeStatus } from "../core/envoy/names.ts";
import { KirikaeError } from "../core/diagnostics/error.ts";
import type { SimulatedRequest } from "../core/routes/simulation.ts";

/** Where an Envoy takes a request, and how it has to be written there. */
export interface ProbePlace {
  /** `127.0.0.1:8080`. */
  readonly address: string;
  /** The server name of a TLS connection; undefined for a plain one. */
  readonly serverName: string | undefined;
  /** Whether the target is a whole URL, as a proxy wants it. */
  readonly isProxy: boolean;
}

/** What an Envoy says of a request that goes no further. */
export interface ProbeAnswer {
  /** Null where no route takes it. */
  readonly route: string | null;
  /** The cluster that was drawn for it; null for a route that answers by itself. */
  readonly cluster: string | null;
  /** Of an answer that Envoy gave before it looked for a route; null for the others. */
  readonly status: number | null;
}

/** What a client sees of an answer. */
export interface SentAnswer {
  readonly status: number;
  readonly location: string | null;
}

const answerTimeoutMs = 10_000;
const maxBodyBytes = 64 * 1024;

/**
 * Asks an Envoy of `kirikae up` which route would take a request. The header of the probe makes it end there: no app
 * sees it.
 * @throws KirikaeError KIR5063 when it cannot be asked, exit status 3
 */
export async function probe(place: ProbePlace, asked: SimulatedRequest): Promise<ProbeAnswer> {
  const { answer, body } = await send(place, { ...asked, headers: [...asked.headers, [probeHeader, "1"]] });
  if (answer.status !== probeStatus) return { route: null, cluster: null, status: answer.status };
  const said = parseAnswer(body);
  if (said === undefined) throw notAsked(place, "it does not answer probes: it was started by an older kirikae");
  return { ...said, status: null };
}

/** Sends the request as it is; only for one that Envoy answers by itself. */
export async function sendPlain(place: ProbePlace, asked: SimulatedRequest): Promise<SentAnswer> {
  return (await send(place, asked)).answer;
}

async function send(
  place: ProbePlace,
  asked: SimulatedRequest,
): Promise<{ readonly answer: SentAnswer; readonly body: string }> {
  const incoming = await new Promise<IncomingMessage>((resolve, reject) => {
    const outgoing = openRequest(place, asked);
    outgoing.on("timeout", () => outgoing.destroy(new Error(`no answer within ${answerTimeoutMs / 1_000} s`)));
    outgoing.on("error", reject);
    outgoing.on("response", resolve);
    outgoing.end();
  }).catch((error: unknown) => {
    throw notAsked(place, error instanceof Error ? error.message : String(error), error);
  });
  const body = await readSome(incoming);
  return { answer: { status: incoming.statusCode ?? 0, location: incoming.headers.location ?? null }, body };
}

function openRequest({ address, serverName, isProxy }: ProbePlace, asked: SimulatedRequest) {
  const colon = address.lastIndexOf(":");
  const options = {
    host: address.slice(0, colon).replaceAll(/^\[|\]$/gu, ""),
    port: Number(address.slice(colon + 1)),
    method: asked.method,
    path: isProxy && asked.target.startsWith("/") ? `http://${withPort(asked)}${asked.target}` : asked.target,
    agent: false,
    timeout: answerTimeoutMs,
    setHost: false,
    headers: [
      "host",
      asked.authority,
      ...asked.headers.filter(([name]) => !name.startsWith(":")).flatMap(([name, value]) => [name, value]),
    ],
  };
  if (serverName === undefined) return requestHttp(options);
  // The certificate of a local gateway proves nothing here; what is asked for is its routes.
  return requestHttps({ ...options, servername: serverName, rejectUnauthorized: false });
}

function withPort({ authority, port }: SimulatedRequest): string {
  return port === 80 || /:\d+$/u.test(authority) ? authority : `${authority}:${port}`;
}

async function readSome(incoming: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of incoming) {
    const bytes = Buffer.from(chunk);
    length += bytes.length;
    if (length > maxBodyBytes) {
      incoming.destroy();
      break;
    }
    chunks.push(bytes);
  }
  return Buffer.concat(chunks).toString();
}

function parseAnswer(body: string): Pick<ProbeAnswer, "route" | "cluster"> | undefined {
  try {
    const said: unknown = JSON.parse(body);
    if (typeof said !== "object" || said === null || !("route" in said) || !("cluster" in said)) return undefined;
    return { route: asName(said.route), cluster: asName(said.cluster) };
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function asName(value: unknown): string | null {
  return typeof value === "string" && value !== "" && value !== "-" ? value : null;
}

function notAsked({ address }: ProbePlace, reason: string, cause?: unknown): KirikaeError {
  return new KirikaeError("KIR5063", `The Envoy at ${address} cannot be asked: ${reason}.`, {
    exitStatus: 3,
    hint: "`kirikae status` shows whether it runs; one that wants a client certificate cannot be asked this way.",
    cause,
  });
}
