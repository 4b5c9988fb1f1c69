import type { Clock } from "../../engine/ports.ts";
import { KubeError } from "../../kubernetes/kube-error.ts";

/**
 * How long an API server may be away in the middle of a step: a control plane that is upgraded or restored takes minutes,
 * and who gave up earlier would leave a part of the weights written.
 */
export const outageLimitMs = 5 * 60_000;

const firstPauseMs = 100;
const longestPauseMs = 2_000;

/** Waits out an API server that does not answer, up to a limit over the whole step, and keeps count of the time. */
export class ApiPatience {
  readonly #clock: Clock;
  readonly #limitMs: number;
  #lostMs = 0;

  constructor(clock: Clock, limitMs: number = outageLimitMs) {
    this.#clock = clock;
    this.#limitMs = limitMs;
  }

  /** Time in which the server gave no answer; no proxy is to blame for it. */
  get lostMs(): number {
    return this.#lostMs;
  }

  get isExhausted(): boolean {
    return this.#lostMs >= this.#limitMs;
  }

  /** To be told of time that went by without an answer. */
  lose(durationMs: number): void {
    this.#lostMs = Math.min(this.#limitMs, this.#lostMs + durationMs);
  }

  /**
   * Asks until there is an answer. For reading, and for writing what may be written twice.
   * @throws what the server refused, and its silence when the time is over.
   */
  async ask<Answer>(request: () => Promise<Answer>): Promise<Answer> {
    for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(longestPauseMs, pauseMs * 2)) {
      const askedMs = this.#clock.nowMs();
      try {
        return await request();
      } catch (error) {
        if (!(error instanceof KubeError) || !error.isUnreachable || this.isExhausted) throw error;
        await this.#clock.sleep(pauseMs);
        this.lose(this.#clock.nowMs() - askedMs);
      }
    }
  }
}
