import { Agent as HttpAgent, type IncomingMessage, request as requestHttp } from "node:http";
import { Agent as HttpsAgent, request as requestHttps } from "node:https";
import { setTimeout as delay } from "node:timers/promises";
import { WebSocket } from "ws";
import type { Credential, Credentials } from "./credential.ts";
import type { KubeError } from "./kube-error.ts";
import { RateLimit } from "./rate-limit.ts";
import { unreachable } from "./unreachable.ts";

/** Where an API server is and how it is known to be the right one. */
export interface KubeServer {
  readonly context: string;
  /** With the path that stands before every path of the API, if there is one. */
  readonly url: URL;
  /** PEM; undefined trusts what this machine trusts. */
  readonly authority: readonly (Buffer | string)[] | undefined;
  readonly insecureSkipTlsVerify: boolean;
  readonly tlsServerName: string | undefined;
  /** `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY`, in either case. */
  readonly proxyEnv: Readonly<Record<string, string | undefined>>;
}

export interface KubeRequest {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** With its query. */
  readonly path: string;
  readonly body?: string;
  readonly contentType?: string;
  /** From the first try to the last byte; 30 s. */
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** What is asked of pods through the API server is limited by itself, so that no write waits for it. */
  readonly of?: "api" | "pods";
}

export interface KubeAnswer {
  readonly status: number;
  readonly body: string;
}

const defaultTimeoutMs = 30_000;

/** Of one answer: a page of 500 objects is some megabytes. */
const mostBytes = 64 * 1024 * 1024;

/** Shorter than the minute after which load balancers forget an idle connection. */
const idleConnectionMs = 20_000;

/** A peer that is gone is noticed after this and ten probes of one second each (libuv's figures). */
const probeAfterMs = 15_000;

/** How often a server may ask to come back later before that is what we say. */
const mostTries = 6;
const retryAfterMs = 1_000;
const longestRetryAfterMs = 30_000;

/** Requests to one API server, over connections that stay open. What is answered is not judged here. */
export class KubeConnection {
  readonly context: string;
  readonly #server: KubeServer;
  readonly #credentials: Credentials;
  readonly #agent: HttpAgent;
  readonly #rates = { api: new RateLimit(), pods: new RateLimit() };

  constructor(server: KubeServer, credentials: Credentials) {
    this.context = server.context;
    this.#server = server;
    this.#credentials = credentials;
    const { authority, insecureSkipTlsVerify, tlsServerName, proxyEnv } = server;
    const pool = { keepAlive: true, keepAliveMsecs: probeAfterMs, timeout: idleConnectionMs, proxyEnv };
    this.#agent =
      server.url.protocol === "http:"
        ? new HttpAgent(pool)
        : new HttpsAgent({
            ...pool,
            rejectUnauthorized: !insecureSkipTlsVerify,
            ...(authority === undefined ? {} : { ca: [...authority] }),
            ...(tlsServerName === undefined ? {} : { servername: tlsServerName }),
          });
  }

  /**
   * Asks again where the server says that it did nothing: 429, 503 with a time to come back, a token that has just ended.
   * @throws KubeError KIR4003, KIR4004; the signal's reason when it is aborted
   */
  async send(request: KubeRequest): Promise<KubeAnswer> {
    const limit = AbortSignal.timeout(request.timeoutMs ?? defaultTimeoutMs);
    const signal = request.signal === undefined ? limit : AbortSignal.any([request.signal, limit]);
    try {
      return await this.#tryOften(request, signal);
    } catch (error) {
      request.signal?.throwIfAborted();
      const timeoutMs = limit.aborted ? (request.timeoutMs ?? defaultTimeoutMs) : undefined;
      throw this.unreachable(error, timeoutMs);
    }
  }

  /** The answer's head within the usual time; its body is still to come, without an end of time. The signal ends it. */
  async open(
    path: string,
    options: { readonly signal: AbortSignal; readonly idleMs: number },
  ): Promise<IncomingMessage> {
    const { signal, idleMs } = options;
    const tooLate = new AbortController();
    const timer = setTimeout(() => tooLate.abort(), defaultTimeoutMs);
    try {
      await this.#rates.api.take(signal);
      const credential = await this.#credentials.current();
      const response = await this.#request(
        { method: "GET", path },
        credential,
        AbortSignal.any([signal, tooLate.signal]),
      );
      response.socket.setKeepAlive(true, probeAfterMs);
      response.setTimeout(idleMs, () => response.destroy(new Error(`nothing came for ${idleMs / 1_000} s`)));
      if (response.statusCode === 401) this.#credentials.refused();
      return response;
    } catch (error) {
      signal.throwIfAborted();
      throw this.unreachable(error, tooLate.signal.aborted ? defaultTimeoutMs : undefined);
    } finally {
      clearTimeout(timer);
    }
  }

  /** A WebSocket that is still connecting. */
  async openWebSocket(path: string, protocol: string, signal: AbortSignal): Promise<WebSocket> {
    await this.#rates.pods.take(signal);
    const { headers, certificate } = await this.#credentials.current();
    const url = this.#urlOf(path);
    url.protocol = url.protocol === "http:" ? "ws:" : "wss:";
    return new WebSocket(url, [protocol], {
      agent: this.#agent,
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- ws hands them to node:http, which takes lists too.
      headers: headers as Record<string, string>,
      perMessageDeflate: false,
      maxPayload: mostBytes,
      ...certificate,
    });
  }

  /** What a failed request says, unless it says so itself. */
  unreachable(error: unknown, timeoutMs?: number): KubeError {
    return unreachable(error, { context: this.context, host: this.#server.url.host, timeoutMs });
  }

  /** The server did not take the credential of a WebSocket. */
  signedOut(): void {
    this.#credentials.refused();
  }

  close(): void {
    this.#agent.destroy();
  }

  async #tryOften(request: KubeRequest, signal: AbortSignal): Promise<KubeAnswer> {
    for (let tries = 1; ; tries += 1) {
      await this.#rates[request.of ?? "api"].take(signal);
      const credential = await this.#credentials.current();
      let response;
      try {
        response = await this.#request(request, credential, signal);
      } catch (error) {
        if (tries < mostTries && request.method === "GET" && isStaleConnection(error)) continue;
        throw error;
      }
      const answer = readAnswer(response.statusCode ?? 0, await readBody(response), credential);
      if (tries >= mostTries) return answer;
      const waitMs = this.#waitBeforeRetry(response, tries);
      if (waitMs === undefined) return answer;
      await delay(waitMs, undefined, { signal });
    }
  }

  /** Undefined where the answer is one. */
  #waitBeforeRetry({ statusCode, headers }: IncomingMessage, tries: number): number | undefined {
    if (statusCode === 401) return tries === 1 && this.#credentials.refused() ? 0 : undefined;
    const said = headers["retry-after"];
    if (statusCode !== 429 && (statusCode !== 503 || said === undefined)) return undefined;
    const seconds = Number(said);
    const waitMs = said !== undefined && Number.isFinite(seconds) ? Math.max(seconds, 0) * 1_000 : retryAfterMs;
    // Many clients are told the same second.
    return Math.min(waitMs, longestRetryAfterMs) * (1 + Math.random() / 10);
  }

  #request(request: KubeRequest, credential: Credential, signal: AbortSignal): Promise<IncomingMessage> {
    const { method, path, body, contentType = "application/json" } = request;
    const send = this.#server.url.protocol === "http:" ? requestHttp : requestHttps;
    const length = body === undefined ? {} : { "content-type": contentType, "content-length": Buffer.byteLength(body) };
    const headers = { accept: "application/json", "user-agent": "kirikae", ...length, ...credential.headers };
    return new Promise((resolve, reject) => {
      const options = { method, agent: this.#agent, headers, signal };
      const sent = send(this.#urlOf(path), { ...options, ...credential.certificate });
      sent.once("response", resolve);
      sent.on("error", (error) => reject(sent.reusedSocket ? new StaleConnection(error) : error));
      sent.end(body);
    });
  }

  #urlOf(path: string): URL {
    const { url } = this.#server;
    return new URL(`${url.origin}${url.pathname.replace(/\/+$/u, "")}${path}`);
  }
}

/** What is refused is quoted, and servers and proxies on the way can send back what they were sent. */
function readAnswer(status: number, body: string, { headers }: Credential): KubeAnswer {
  if (status >= 200 && status < 300) return { status, body };
  const { authorization } = headers;
  const secret = typeof authorization === "string" ? authorization.slice(authorization.indexOf(" ") + 1) : "";
  return { status, body: secret === "" ? body : body.replaceAll(secret, "(secret)") };
}

/** On a connection that had been used before, and that the server may have closed since. */
class StaleConnection extends Error {
  constructor(cause: Error) {
    super(cause.message, { cause });
  }
}

function isStaleConnection(error: unknown): boolean {
  if (!(error instanceof StaleConnection)) return false;
  const { cause } = error;
  return cause instanceof Error && "code" in cause && (cause.code === "ECONNRESET" || cause.code === "EPIPE");
}

/** @throws Error for a body that is cut off or too long */
export async function readBody(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > mostBytes) throw new Error(`its answer is longer than ${mostBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, bytes).toString("utf8");
}
