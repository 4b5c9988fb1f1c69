import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { errorText } from "../core/diagnostics/error-text.ts";
import { KirikaeError } from "../core/diagnostics/error.ts";
import type { AdmissionJudge } from "./admission-judge.ts";
import {
  type AdmissionAnswer,
  type AdmissionRequest,
  type FailurePolicy,
  parseReview,
  renderReview,
} from "./admission-review.ts";
import { admissionPath } from "./judged-kinds.ts";
import type { ServingCertificate } from "./serving-certificate.ts";

export interface AdmissionServerOptions {
  /** 0 takes a free one. */
  readonly port: number;
  readonly host: string;
  readonly judge: Pick<AdmissionJudge, "judge">;
  readonly failure: FailurePolicy;
  /** How long the API server is kept waiting before it is answered by policy. */
  readonly budgetMs: number;
  /** Told of what went wrong here; never of what an object says. */
  readonly onNote: (text: string) => void;
}

/** The API server stores nothing above 1.5 MB, and sends an object as it was and as it would be. */
const mostBytes = 8 * 1024 * 1024;
/** Of all questions together: the process has other work, and a limit of memory. */
const mostBytesAtOnce = 32 * 1024 * 1024;
/** Beyond that somebody else than the API server is asking. */
const mostWaiting = 32;
/** Who has not sent the whole of a question by then is not the API server. */
const readingMs = 5_000;

/** HTTPS for the API server's questions. Nothing that a client sends ends it: what cannot be judged is answered by policy. */
export class AdmissionServer implements AsyncDisposable {
  readonly #server: Server;
  readonly #options: AdmissionServerOptions;
  #waiting = 0;
  #bytes = 0;
  /** Questions that are on their way, the oldest first. */
  readonly #reading = new Set<IncomingMessage>();
  /** Judging keeps the process busy, so that one object is looked at after the other. */
  #turn: Promise<unknown> = Promise.resolve();

  private constructor(options: AdmissionServerOptions) {
    this.#options = options;
    const limits = {
      requestTimeout: readingMs,
      headersTimeout: readingMs,
      connectionsCheckingInterval: 1_000,
      keepAliveTimeout: 60_000,
      maxHeaderSize: 16_384,
    };
    this.#server = createServer({ minVersion: "TLSv1.2", handshakeTimeout: 5_000, ...limits }, (request, response) => {
      this.#answer(request, response).catch((error: unknown) => {
        options.onNote(`The webhook could not answer: ${errorText(error)}.`);
        response.destroy();
      });
    });
    this.#server.maxConnections = 256;
    // Handshakes that fail and requests that are no HTTP end by themselves, and each would be a line.
    this.#server.on("tlsClientError", () => {});
    this.#server.on("clientError", (_error, socket) => socket.destroy());
  }

  /** @throws KirikaeError KIR4090 where the port cannot be used */
  static async start(options: AdmissionServerOptions): Promise<AdmissionServer> {
    const started = new AdmissionServer(options);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    started.#server.once("error", (error) => {
      const message = `The webhook cannot listen on port ${options.port}: ${errorText(error)}.`;
      reject(new KirikaeError("KIR4090", message, { exitStatus: 3, hint: "Choose another with --webhook-port." }));
    });
    started.#server.listen(options.port, options.host, resolve);
    await promise;
    return started;
  }

  get port(): number {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it listens on a port, never on a path.
    return (this.#server.address() as AddressInfo).port;
  }

  /** From now on; connections that are open keep what they have. */
  use({ certificate, key }: ServingCertificate): void {
    this.#server.setSecureContext({ cert: certificate, key, minVersion: "TLSv1.2" });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeIdleConnections();
    // The API server keeps connections open, and one that is being answered has the time that answers take.
    const timer = setTimeout(() => this.#server.closeAllConnections(), this.#options.budgetMs * 2);
    await closed;
    clearTimeout(timer);
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.url?.split("?", 1)[0] !== admissionPath) return end(response, 404);
    if (request.method !== "POST") return end(response, 405);
    const text = await this.#read(request);
    if (text === "gone") return;
    if (text === "large") return end(response, 413);
    if (this.#waiting >= mostWaiting) return end(response, 503);
    this.#waiting += 1;
    try {
      const review = parseReview(text.body);
      if (review === undefined) return end(response, 400);
      const body = renderReview(review.uid, await this.#judgeInTime(review), this.#options.failure);
      response.writeHead(200, { "content-type": "application/json" }).end(body);
    } finally {
      this.#waiting -= 1;
    }
  }

  /** The API server sends at once what it asks: where too many are slow, the one that began first gives way. */
  async #read(request: IncomingMessage): Promise<{ readonly body: string } | "large" | "gone"> {
    const [oldest] = this.#reading;
    if (this.#reading.size >= mostWaiting) oldest?.destroy();
    this.#reading.add(request);
    const parts: Buffer[] = [];
    let size = 0;
    try {
      for await (const part of request as AsyncIterable<Buffer>) {
        size += part.length;
        this.#bytes += part.length;
        if (size > mostBytes || this.#bytes > mostBytesAtOnce) return "large";
        parts.push(part);
      }
      return { body: Buffer.concat(parts).toString("utf8") };
    } catch (error) {
      // It went, or was sent away: there is nobody to be answered, and nothing to be told of.
      if (request.destroyed || request.errored !== null) return "gone";
      throw error;
    } finally {
      this.#reading.delete(request);
      this.#bytes -= size;
    }
  }

  async #judgeInTime(review: AdmissionRequest): Promise<AdmissionAnswer> {
    const { budgetMs } = this.#options;
    const { promise, resolve } = Promise.withResolvers<AdmissionAnswer>();
    const late: AdmissionAnswer = { kind: "unjudged", reason: `it had no answer within ${budgetMs} ms` };
    const tooLate = new AbortController();
    const timer = setTimeout(() => {
      tooLate.abort();
      resolve(late);
    }, budgetMs);
    // Nobody waits for an answer that comes too late, and others wait for their turn.
    const judged = this.#turn.then(() => (tooLate.signal.aborted ? late : this.#judge(review, tooLate.signal)));
    this.#turn = judged;
    const answer = await Promise.race([judged, promise]);
    clearTimeout(timer);
    return answer;
  }

  /** Whatever goes wrong while an object is judged is no reason for the controller to end. */
  async #judge(review: AdmissionRequest, signal: AbortSignal): Promise<AdmissionAnswer> {
    try {
      return await this.#options.judge.judge(review, signal);
    } catch (error) {
      this.#options.onNote(`The webhook could not judge an object: ${errorText(error)}.`);
      return { kind: "unjudged", reason: "of an unexpected error, which its log has" };
    }
  }
}

function end(response: ServerResponse, status: number): void {
  // Whatever is left of the request is not read.
  response.writeHead(status, { connection: "close" }).end();
}
