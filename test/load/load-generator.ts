import { LoadConnection, type LoadConnectionOptions, type Outcome } from "./load-connection.ts";
import type { LoadOptions, RequestShape } from "./load-options.ts";
import type { LoadRecord } from "./load-records.ts";

export interface LoadCounts {
  readonly sent: number;
  readonly connectionsOpened: number;
  /** Keep-alive connections that the server closed between requests; no failure. */
  readonly closedWhileIdle: number;
  /** Requests that were due but not sent, because the time was up. */
  readonly notSent: number;
}

const tickMs = 1;
const mostOneShots = 256;

/** Sends requests at a steady rate, whatever the answers do, and records each. */
export class LoadGenerator {
  readonly #options: LoadOptions;
  readonly #now: () => number;
  readonly #record: (record: LoadRecord) => void;
  readonly #connections: LoadConnection[] = [];
  readonly #free: LoadConnection[] = [];
  readonly #oneShots = new Set<LoadConnection>();
  readonly #shapes: readonly PreparedShape[];
  #opened = 0;
  #sent = 0;
  #oneShotsSent = 0;
  #inFlight = 0;

  constructor(options: LoadOptions, now: () => number, record: (record: LoadRecord) => void) {
    this.#options = options;
    this.#now = now;
    this.#record = record;
    this.#shapes = options.requests.map(prepareShape);
    for (let count = 0; count < options.connections; count++) {
      const connection = new LoadConnection(this.#connectionOptions());
      this.#connections.push(connection);
      this.#free.push(connection);
    }
  }

  /** Runs until time or count is up, or until the signal; then waits for the answers still to come. */
  async run(signal: AbortSignal): Promise<LoadCounts> {
    const startMs = this.#now();
    const endMs = startMs + this.#options.durationMs;
    let nextSweepMs = startMs;
    while (!signal.aborted && this.#sent < this.#options.maxRequests) {
      const nowMs = this.#now();
      if (nowMs >= endMs) break;
      this.#sendDue(startMs, nowMs);
      if (nowMs >= nextSweepMs) {
        this.#expire(nowMs);
        nextSweepMs = nowMs + 50;
      }
      await pause(tickMs);
    }
    const due = this.#dueAt(startMs, Math.min(this.#now(), endMs));
    while (this.#inFlight > 0) {
      this.#expire(this.#now());
      await pause(5);
    }
    for (const connection of this.#connections) connection.close();
    return this.#counts(due);
  }

  #counts(due: number): LoadCounts {
    const sum = (read: (connection: LoadConnection) => number): number =>
      this.#connections.reduce((total, connection) => total + read(connection), 0);
    return {
      sent: this.#sent,
      connectionsOpened: this.#opened + sum((connection) => connection.opened),
      closedWhileIdle: sum((connection) => connection.closedWhileIdle),
      notSent: Math.max(0, Math.min(due, this.#options.maxRequests) - this.#sent),
    };
  }

  #dueAt(startMs: number, nowMs: number): number {
    return Math.floor(((nowMs - startMs) * this.#options.requestsPerSecond) / 1_000);
  }

  #sendDue(startMs: number, nowMs: number): void {
    const due = Math.min(this.#dueAt(startMs, nowMs), this.#options.maxRequests);
    while (this.#sent < due) {
      const connection = this.#nextConnection();
      if (connection === undefined) return;
      const dueMs = startMs + (this.#sent * 1_000) / this.#options.requestsPerSecond;
      this.#send(connection, nowMs - dueMs);
    }
  }

  /** A one-shot connection when its share falls due, else a free keep-alive one; undefined when all are busy. */
  #nextConnection(): LoadConnection | undefined {
    const isOneShotDue = this.#oneShotsSent < Math.floor((this.#sent + 1) * this.#options.newConnectionShare);
    if (!isOneShotDue) return this.#free.shift();
    if (this.#oneShots.size >= mostOneShots) return undefined;
    const connection = new LoadConnection(this.#connectionOptions());
    this.#oneShots.add(connection);
    this.#oneShotsSent += 1;
    return connection;
  }

  #send(connection: LoadConnection, lateMs: number): void {
    const isOneShot = this.#oneShots.has(connection);
    const request = this.#pickShape();
    const shape = this.#shapes[request];
    if (shape === undefined) throw new Error(`no request shape ${request}`);
    this.#sent += 1;
    this.#inFlight += 1;
    connection.send(isOneShot ? shape.closingBytes : shape.bytes, (outcome) => {
      this.#inFlight -= 1;
      this.#record(recordOf(outcome, request, lateMs));
      if (!isOneShot) {
        this.#free.push(connection);
        return;
      }
      this.#opened += connection.opened;
      this.#oneShots.delete(connection);
      connection.close();
    });
  }

  /** The shape that is furthest behind its share. */
  #pickShape(): number {
    let chosen = 0;
    let lowest = Infinity;
    for (const [index, shape] of this.#shapes.entries()) {
      const position = (shape.sent + 1) / shape.share;
      if (position < lowest) {
        lowest = position;
        chosen = index;
      }
    }
    const shape = this.#shapes[chosen];
    if (shape !== undefined) shape.sent += 1;
    return chosen;
  }

  #expire(nowMs: number): void {
    const deadlineMs = nowMs - this.#options.requestTimeoutMs;
    for (const connection of this.#connections) connection.expire(deadlineMs);
    for (const connection of this.#oneShots) connection.expire(deadlineMs);
  }

  #connectionOptions(): LoadConnectionOptions {
    return { target: this.#options.target, versionHeader: this.#options.versionHeader, now: this.#now };
  }
}

interface PreparedShape {
  readonly bytes: string;
  readonly closingBytes: string;
  readonly share: number;
  sent: number;
}

function prepareShape(shape: RequestShape): PreparedShape {
  const headers = Object.entries(shape.headers).map(([name, value]) => `${name}: ${value}\r\n`);
  const head = `GET ${shape.path} HTTP/1.1\r\nHost: ${shape.host}\r\n${headers.join("")}`;
  return { bytes: `${head}\r\n`, closingBytes: `${head}Connection: close\r\n\r\n`, share: shape.share, sent: 0 };
}

function recordOf(outcome: Outcome, request: number, lateMs: number): LoadRecord {
  const { sentMs, doneMs } = outcome;
  return outcome.kind === "answered"
    ? { sentMs, doneMs, lateMs, status: outcome.head.status, version: outcome.head.version, error: undefined, request }
    : { sentMs, doneMs, lateMs, status: 0, version: undefined, error: outcome.error, request };
}

function pause(delayMs: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, delayMs);
  });
}
