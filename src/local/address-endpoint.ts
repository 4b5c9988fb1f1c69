import type { HostPort } from "../core/manifest/local-workload.ts";
import { ReadinessWatch } from "./readiness.ts";

const intervalMs = 1_000;
const timeoutMs = 1_000;

/** An endpoint that somebody else runs: it is only watched, by opening a connection every second. */
export class AddressEndpoint {
  readonly address: HostPort;
  readonly pid = undefined;
  readonly restarts = 0;
  readonly logFile = undefined;
  readonly #onChange: () => void;
  #watch: ReadinessWatch | undefined;

  constructor(address: HostPort, onChange: () => void) {
    this.address = address;
    this.#onChange = onChange;
  }

  get isReady(): boolean {
    return this.#watch?.isReady ?? false;
  }

  /** Begins to watch. */
  start(): Promise<void> {
    const readiness = { path: undefined, intervalMs, timeoutMs };
    this.#watch = new ReadinessWatch({ at: this.address, readiness, onChange: this.#onChange });
    return Promise.resolve();
  }

  /** Resolves after a first check, so that one that is up is not shown as down. */
  async whenChecked(): Promise<void> {
    await this.#watch?.whenChecked();
  }

  stop(): Promise<void> {
    this.#watch?.[Symbol.dispose]();
    return Promise.resolve();
  }

  detach(): Promise<void> {
    return this.stop();
  }
}
