import { setTimeout as delay } from "node:timers/promises";
import { epochSlots } from "../../core/envoy/names.ts";
import type { EnvoyAdmin } from "./admin.ts";
import { ProofConnection } from "./proof-connection.ts";

/**
 * Shows that every worker thread of one Envoy uses a push. An ACK comes from Envoy's main thread, which hands the new
 * values to the workers; each worker runs what it is handed in order, so one that shows the epoch of a push has all that
 * was pushed up to then. One kept connection a worker asks for it.
 */
export class WorkerProof implements Disposable {
  readonly #admin: EnvoyAdmin;
  readonly #socketPath: string;
  #connections: readonly ProofConnection[] = [];
  #isDisposed = false;

  constructor(admin: EnvoyAdmin, socketPath: string) {
    this.#admin = admin;
    this.#socketPath = socketPath;
  }

  /**
   * Waits until every worker uses the push of this epoch.
   * @returns false when the deadline (of `performance.now()`) passed first
   */
  async prove(epoch: number, deadlineMs: number): Promise<boolean> {
    // A proxy that is stopped or stuck answers nothing at all, so its connections are cut when the time is up.
    const timer = setTimeout(() => this.#closeAll(), Math.max(0, deadlineMs - performance.now()));
    try {
      return await this.#proveUntil(epoch, deadlineMs);
    } finally {
      clearTimeout(timer);
    }
  }

  async #proveUntil(epoch: number, deadlineMs: number): Promise<boolean> {
    for (;;) {
      try {
        const connections = await this.prepare();
        const shown = await Promise.all(connections.map((each) => waitForSlot(each, epoch % epochSlots, deadlineMs)));
        return shown.every(Boolean);
      } catch (error) {
        if (!(error instanceof Error)) throw error;
        this.#closeAll();
        // Envoy ended or is starting; it is asked anew until the deadline.
        if (this.#isDisposed || performance.now() > deadlineMs) return false;
        await delay(5);
      }
    }
  }

  /** Has one connection on each worker. Called ahead of time so that a proof needs no set-up. */
  async prepare(): Promise<readonly ProofConnection[]> {
    if (this.#connections.length > 0 && this.#connections.every((each) => each.isOpen)) return this.#connections;
    this.#closeAll();
    const concurrency = await this.#admin.concurrency();
    for (let attempt = 0; attempt < 20; attempt += 1) {
      const connections = await Promise.all(
        Array.from({ length: concurrency }, () => ProofConnection.open(this.#socketPath)),
      );
      this.#connections = connections;
      await Promise.all(connections.map((each) => each.get("/")));
      if (await this.#isOneEach(concurrency)) return connections;
      this.#closeAll();
      await delay(5);
    }
    throw new Error("Envoy did not spread the proof connections over its workers");
  }

  [Symbol.dispose](): void {
    this.#isDisposed = true;
    this.#closeAll();
  }

  async #isOneEach(concurrency: number): Promise<boolean> {
    const active = await this.#admin.stats("^listener\\.kirikae_proof\\.worker_\\d+\\.downstream_cx_active$", {
      usedOnly: false,
      type: "Gauges",
    });
    return active.size === concurrency && [...active.values()].every((count) => count === 1);
  }

  #closeAll(): void {
    for (const connection of this.#connections) connection.close();
    this.#connections = [];
  }
}

/** Asks again at once at first: the workers are behind the ACK by microseconds, not milliseconds. */
async function waitForSlot(connection: ProofConnection, slot: number, deadlineMs: number): Promise<boolean> {
  for (let attempt = 0; ; attempt += 1) {
    if ((await connection.get(`/${slot}`)) === 200) return true;
    if (performance.now() > deadlineMs) return false;
    if (attempt > 20) await delay(1);
  }
}
