import { connect, type Socket } from "node:net";
import type { LoadTarget } from "./load-options.ts";
import { ResponseReader, type ResponseHead } from "./response-reader.ts";

export type Outcome =
  | { readonly kind: "answered"; readonly head: ResponseHead; readonly sentMs: number; readonly doneMs: number }
  | { readonly kind: "failed"; readonly error: string; readonly sentMs: number; readonly doneMs: number };

interface Running {
  readonly bytes: string;
  sentMs: number | undefined;
  readonly startedMs: number;
  readonly settle: (outcome: Outcome) => void;
}

export interface LoadConnectionOptions {
  readonly target: LoadTarget;
  readonly versionHeader: string;
  readonly now: () => number;
}

/**
 * One client connection, as a simple client has it: one request at a time, no retry. A connection that dies under a
 * request is a failed request; one that the server closes while idle is opened again for the next request.
 */
export class LoadConnection {
  readonly #options: LoadConnectionOptions;
  readonly #reader: () => ResponseReader;
  #socket: Socket | undefined;
  #running: Running | undefined;
  opened = 0;
  closedWhileIdle = 0;

  constructor(options: LoadConnectionOptions) {
    this.#options = options;
    this.#reader = () => new ResponseReader(options.versionHeader);
  }

  /** Sends the bytes of one request; `settle` is called exactly once. */
  send(bytes: string, settle: (outcome: Outcome) => void): void {
    this.#running = { bytes, sentMs: undefined, startedMs: this.#options.now(), settle };
    if (this.#socket === undefined) this.#open();
    else this.#write(this.#socket);
  }

  /** Fails the running request when it began before `deadlineMs`. */
  expire(deadlineMs: number): void {
    if (this.#running !== undefined && this.#running.startedMs < deadlineMs) this.#fail("timeout");
  }

  close(): void {
    const socket = this.#socket;
    this.#socket = undefined;
    socket?.destroy();
  }

  #open(): void {
    const { target } = this.#options;
    const socket =
      target.kind === "unix" ? connect({ path: target.path }) : connect({ host: target.address, port: target.port });
    this.#socket = socket;
    this.opened += 1;
    const reader = this.#reader();
    socket.setNoDelay(true);
    socket.on("connect", () => this.#write(socket));
    socket.on("data", (chunk: Buffer) => {
      if (socket === this.#socket) this.#read(reader, chunk);
    });
    socket.on("error", (error: NodeJS.ErrnoException) => this.#lose(socket, error.code ?? error.message));
    socket.on("end", () => {
      const head = socket === this.#socket ? reader.readEnd() : undefined;
      if (head === undefined) this.#lose(socket, "closed without an answer");
      else this.#answer(head);
    });
    socket.on("close", () => this.#lose(socket, "closed without an answer"));
  }

  #write(socket: Socket): void {
    const running = this.#running;
    if (running === undefined) return;
    running.sentMs = this.#options.now();
    socket.write(running.bytes, "latin1");
  }

  #read(reader: ResponseReader, chunk: Buffer): void {
    if (this.#running === undefined) {
      this.close();
      return;
    }
    try {
      const head = reader.read(chunk);
      if (head !== undefined) this.#answer(head);
    } catch (error) {
      this.#fail(error instanceof Error ? error.message : String(error));
    }
  }

  #answer(head: ResponseHead): void {
    if (!head.keepsAlive) this.close();
    const running = this.#take();
    if (running === undefined) return;
    const doneMs = this.#options.now();
    running.settle({ kind: "answered", head, sentMs: running.sentMs ?? running.startedMs, doneMs });
  }

  #lose(socket: Socket, reason: string): void {
    if (socket !== this.#socket) return;
    if (this.#running === undefined) {
      this.closedWhileIdle += 1;
      this.close();
    } else {
      this.#fail(reason);
    }
  }

  #fail(error: string): void {
    this.close();
    const running = this.#take();
    if (running === undefined) return;
    const doneMs = this.#options.now();
    running.settle({ kind: "failed", error, sentMs: running.sentMs ?? running.startedMs, doneMs });
  }

  #take(): Running | undefined {
    const running = this.#running;
    this.#running = undefined;
    return running;
  }
}
