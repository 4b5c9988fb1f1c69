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
  /** What the client shows of itself in TLS; undefined for one that shows nothing. */
  readonly certificate: ClientCertificate | undefined;
}

/** Both in PEM. */
export interface ClientCertificate {
  readonly cert: Buffer;
  readonly key: Buffer;
}

/** What an Envoy says of a request that goes no further. */
export interface ProbeAnswer {
  /** Null where no route takes it. */
  readonly route: string | null;
  /** The cluster that was drawn for it; null for a route that answers by itself. */
  readonly cluster: string | null;
  /** Of an answer that Envoy gave before it looked for a route; null for the others. */
  readonly status: number | null;
  /** Why the connection ended before any answer, in the words of the system; null where there was one. */
  readonly ended: string | null;
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
  const sent = await send(place, { ...asked, headers: [...asked.headers, [probeHeader, "1"]] });
  if (sent.kind === "ended") return { route: null, cluster: null, status: null, ended: sent.reason };
  const { answer, body } = sent;
  if (answer.status !== probeStatus) return { route: null, cluster: null, status: answer.status, ended: null };
  const said = parseAnswer(body);
  if (said === undefined) throw notAsked(place, "it does not answer probes: it was started by an older kirikae");
  return { ...said, status: null, ended: null };
}

/** Sends the request as it is; only for one that Envoy answers by itself. */
export async function sendPlain(place: ProbePlace, asked: SimulatedRequest): Promise<SentAnswer> {
  const sent = await send(place, asked);
  if (sent.kind === "ended") throw notAsked(place, sent.reason);
  return sent.answer;
}

type Sent =
  | { readonly kind: "answered"; readonly answer: SentAnswer; readonly body: string }
  | { readonly kind: "ended"; readonly reason: string };

async function send(place: ProbePlace, asked: SimulatedRequest): Promise<Sent> {
  const incoming = await new Promise<IncomingMessage | string>((resolve, reject) => {
    const outgoing = openRequest(place, asked);
    outgoing.on("timeout", () => outgoing.destroy(new Error(`no answer within ${answerTimeoutMs / 1_000} s`)));
    outgoing.on("error", (error) => {
      const ended = whyEnded(error);
      if (ended === undefined) reject(error);
      else resolve(ended);
    });
    outgoing.on("response", resolve);
    outgoing.end();
  }).catch((error: unknown) => {
    throw notAsked(place, error instanceof Error ? error.message : String(error), error);
  });
  if (typeof incoming === "string") return { kind: "ended", reason: incoming };
  const body = await readSome(incoming);
  return {
    kind: "answered",
    answer: { status: incoming.statusCode ?? 0, location: incoming.headers.location ?? null },
    body,
  };
}

function openRequest({ address, serverName, isProxy, certificate }: ProbePlace, asked: SimulatedRequest) {
  const options = {
    ...splitAddress(address),
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
  return requestHttps({ ...options, ...certificate, servername: serverName, rejectUnauthorized: false });
}

/**
 * Why Envoy ended a connection that it had taken: it is an answer, such as to a server name that it does not know.
 * Undefined for what is none, such as that nothing listens.
 */
export function whyEnded(error: Error): string | undefined {
  const code = "code" in error ? String(error.code) : "";
  if (code === "ECONNRESET" || code === "EPIPE") return "the connection was reset";
  if (!code.startsWith("ERR_SSL_")) return undefined;
  return code.endsWith("CERTIFICATE_REQUIRED")
    ? "it wants a client certificate"
    : `TLS ended with ${code.slice("ERR_SSL_".length).toLowerCase().replaceAll("_", " ")}`;
}

/** `127.0.0.1:8080` and `[::1]:8080`, as Node wants them. */
export function splitAddress(address: string): { readonly host: string; readonly port: number } {
  const colon = address.lastIndexOf(":");
  return { host: address.slice(0, colon).replaceAll(/^\[|\]$/gu, ""), port: Number(address.slice(colon + 1)) };
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

export function notAsked({ address }: Pick<ProbePlace, "address">, reason: string, cause?: unknown): KirikaeError {
  return new KirikaeError("KIR5063", `The Envoy at ${address} cannot be asked: ${reason}.`, {
    exitStatus: 3,
    hint: "`kirikae status` shows whether it runs.",
    cause,
  });
}
