import type { FastifyReply } from "fastify";
import { toErrorBody, type ApiErrorBody } from "./api-error.ts";
import { securityHeaders } from "./security-headers.ts";
import type { ApiBackend, MoveProgress } from "./types.ts";
import type { MoveRequest } from "../core/release/move/move.ts";

/** One line of the answer to `POST /v1/moves`. The last line is `finished`, or `error` when the move could not end. */
export type MoveLine = MoveProgress | { readonly kind: "error"; readonly error: ApiErrorBody };

/**
 * Runs a move and answers each of its steps as a line of JSON (application/x-ndjson) while it happens. A request that
 * is refused before its first step is answered as a plain error instead. The move does not depend on its reader: who
 * hangs up sees less, and the move runs on.
 */
export async function streamMove(backend: ApiBackend, request: MoveRequest, reply: FastifyReply): Promise<void> {
  const lines = new LineStream(reply);
  try {
    const result = await backend.move(request, (progress) => {
      if (progress.kind !== "finished") lines.write(progress);
    });
    lines.write({ kind: "finished", result });
  } catch (error) {
    if (!lines.hasBegun) throw error;
    lines.write({ kind: "error", error: toErrorBody(error).body });
  }
  lines.end();
}

class LineStream {
  readonly #reply: FastifyReply;
  hasBegun = false;

  constructor(reply: FastifyReply) {
    this.#reply = reply;
  }

  write(line: MoveLine): void {
    this.#begin();
    const { raw } = this.#reply;
    if (!raw.destroyed) raw.write(`${JSON.stringify(line)}\n`);
  }

  end(): void {
    this.#reply.raw.end();
  }

  #begin(): void {
    if (this.hasBegun) return;
    this.hasBegun = true;
    this.#reply.hijack();
    const { raw } = this.#reply;
    // A reader that hangs up is no error of the move.
    raw.on("error", () => raw.destroy());
    raw.writeHead(200, { ...securityHeaders, "content-type": "application/x-ndjson; charset=utf-8" });
  }
}
