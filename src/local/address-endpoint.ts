import type { HostPort, HttpReadiness } from "../core/manifest/local-workload.ts";
import { ReadinessWatch } from "./readiness.ts";

/** An endpoint that somebody else runs: it is only watched. */
export class AddressEndpoint {
  readonly address: HostPort;
  readonly pid = undefined;
  readonly restarts = 0;
  readonly logFile = undefined;
  readonly #readiness: HttpReadiness;
  readonly #onChange: () => void;
  #watch: ReadinessWatch | undefined;

  constructor(address: HostPort, readiness: HttpReadiness, onChange: () => void) {
    this.address = address;
    this.#readiness = readiness;
    this.#onChange = onChange;
  }

  get isReady(): boolean {
    return this.#watch?.isReady ?? false;
  }

  /** Whether it is this address, watched in this way. */
  isSame(address: HostPort, readiness: HttpReadiness): boolean {
    return JSON.stringify([address, readiness]) === JSON.stringify([this.address, this.#readiness]);
  }

  /** Begins to watch. */
  start(): Promise<void> {
    this.#watch = new ReadinessWatch({ at: this.address, readiness: this.#readiness, onChange: this.#onChange });
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

  release(): Promise<void> {
    return this.stop();
  }
}
