import { get } from "node:http";
import { connect } from "node:net";
import type { HostPort, HttpReadiness } from "../core/manifest/local-workload.ts";

/** This many failed checks in a row make a ready endpoint unready; Kubernetes' default. */
const failureThreshold = 3;
/** An endpoint that just appeared is checked faster than the interval, then ever slower: a start should not wait. */
const startIntervalMs = 50;

export interface ReadinessWatchOptions {
  readonly at: HostPort;
  readonly readiness: HttpReadiness;
  onChange(isReady: boolean): void;
}

/** One check: GET `path` answers below 400 in time, or without a path the port accepts a connection in time. */
export function checkReadiness(at: HostPort, readiness: Pick<HttpReadiness, "path" | "timeoutMs">): Promise<boolean> {
  const { path, timeoutMs } = readiness;
  return path === undefined ? acceptsConnection(at, timeoutMs) : answersGet(at, { path, timeoutMs });
}

/** Checks an endpoint again and again and reports each turn from unready to ready and back. It begins as unready. */
export class ReadinessWatch implements Disposable {
  readonly #options: ReadinessWatchOptions;
  readonly #firstCheck: Promise<void>;
  #timer: NodeJS.Timeout | undefined;
  #isReady = false;
  #failures = 0;
  #isClosed = false;

  constructor(options: ReadinessWatchOptions) {
    this.#options = options;
    this.#firstCheck = this.#check();
  }

  /** Resolves once it has been checked at all. */
  whenChecked(): Promise<void> {
    return this.#firstCheck;
  }

  get isReady(): boolean {
    return this.#isReady;
  }

  [Symbol.dispose](): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
  }

  async #check(): Promise<void> {
    const { at, readiness } = this.#options;
    const passed = await checkReadiness(at, readiness);
    if (this.#isClosed) return;
    this.#failures = passed ? 0 : this.#failures + 1;
    if (passed !== this.#isReady && (passed || this.#failures >= failureThreshold)) {
      this.#isReady = passed;
      this.#options.onChange(passed);
    }
    const startingMs = startIntervalMs * 2 ** Math.min(this.#failures, 10);
    const delayMs = this.#isReady ? readiness.intervalMs : Math.min(startingMs, readiness.intervalMs);
    if (!this.#isClosed) this.#timer = setTimeout(() => void this.#check(), delayMs);
  }
}

function acceptsConnection(at: HostPort, timeoutMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: at.host, port: at.port });
    const finish = (passed: boolean): void => {
      clearTimeout(deadline);
      socket.destroy();
      resolve(passed);
    };
    const deadline = setTimeout(() => finish(false), timeoutMs);
    socket.once("connect", () => finish(true));
    socket.once("error", () => finish(false));
  });
}

function answersGet(at: HostPort, request: { path: string; timeoutMs: number }): Promise<boolean> {
  return new Promise((resolve) => {
    const finish = (passed: boolean): void => {
      clearTimeout(deadline);
      sent.destroy();
      resolve(passed);
    };
    const sent = get({ host: at.host, port: at.port, path: request.path, agent: false }, (response) => {
      finish((response.statusCode ?? 500) < 400);
    });
    const deadline = setTimeout(() => finish(false), request.timeoutMs);
    sent.once("error", () => finish(false));
  });
}
