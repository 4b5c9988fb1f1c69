import type { FastifyReply } from "fastify";
import { ApiError } from "./api-error.ts";
import { securityHeaders } from "./security-headers.ts";
import type { LiveEvent } from "./types.ts";

export interface StreamLimits {
  readonly maxStreams: number;
  /** A reader that lets more than this pile up is cut off; it may connect again and ask for the last minutes. */
  readonly maxBufferedBytes: number;
  readonly heartbeatMs: number;
}

/** The open server-sent event streams (WHATWG HTML, 9.2): every event goes to all of them, and none may hold up another. */
export class EventStreams implements Disposable {
  readonly #replies = new Set<FastifyReply["raw"]>();
  readonly #limits: StreamLimits;
  readonly #heartbeat: NodeJS.Timeout;

  constructor(limits: StreamLimits) {
    this.#limits = limits;
    this.#heartbeat = setInterval(() => this.#send(": heartbeat\n\n"), limits.heartbeatMs);
    this.#heartbeat.unref();
  }

  get count(): number {
    return this.#replies.size;
  }

  /** Turns the reply into a stream that begins with these events. Throws KIR5055 when there are too many. */
  open(reply: FastifyReply, first: readonly LiveEvent[]): void {
    if (this.#replies.size >= this.#limits.maxStreams) {
      throw new ApiError("KIR5055", `${this.#replies.size} live streams are open, which is the most at a time.`, {
        status: 503,
        exitStatus: 3,
        hint: "Close a status page or a `kirikae status --watch`.",
      });
    }
    reply.hijack();
    const { raw } = reply;
    raw.on("error", () => this.#replies.delete(raw));
    raw.on("close", () => this.#replies.delete(raw));
    raw.writeHead(200, { ...securityHeaders, "content-type": "text/event-stream; charset=utf-8" });
    raw.write("retry: 1000\n\n");
    for (const event of first) raw.write(renderEvent(event));
    this.#replies.add(raw);
  }

  publish(event: LiveEvent): void {
    if (this.#replies.size > 0) this.#send(renderEvent(event));
  }

  #send(text: string): void {
    for (const raw of this.#replies) {
      if (raw.writableLength > this.#limits.maxBufferedBytes) {
        this.#replies.delete(raw);
        raw.destroy();
      } else {
        raw.write(text);
      }
    }
  }

  [Symbol.dispose](): void {
    clearInterval(this.#heartbeat);
    for (const raw of this.#replies) raw.end();
    this.#replies.clear();
  }
}

/** JSON has no raw line breaks, so one data line holds it. */
function renderEvent(event: LiveEvent): string {
  return `event: ${event.event}\ndata: ${JSON.stringify(event)}\n\n`;
}
