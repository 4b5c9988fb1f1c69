import type { Clock } from "../../engine/ports.ts";
import { KubeError } from "../../kubernetes/kube-error.ts";

/**
 * How long an API server may be away in the middle of a step: a control plane that is upgraded or restored takes minutes,
 * and who gave up earlier would leave a part of the weights written.
 */
const outageLimitMs = 5 * 60_000;

const firstPauseMs = 100;
const longestPauseMs = 2_000;

/** Waits out an API server that does not answer, up to a limit over the whole step, and keeps count of the time. */
export class ApiPatience {
  readonly #clock: Clock;
  readonly #limitMs: number;
  #lostMs = 0;
  #countedUntilMs = 0;

  constructor(clock: Clock, limitMs: number = outageLimitMs) {
    this.#clock = clock;
    this.#limitMs = limitMs;
  }

  /**
   * Time in which the server gave no answer. Proxies get as much more for their proof: istiod's own watches wait longer
   * before they try again the longer it was away.
   */
  get lostMs(): number {
    return this.#lostMs;
  }

  get isExhausted(): boolean {
    return this.#lostMs >= this.#limitMs;
  }

  /** To be told since when there was no answer; what several requests wait for at once is lost once. */
  lose(sinceMs: number): void {
    const nowMs = this.#clock.nowMs();
    const fromMs = Math.max(sinceMs, this.#countedUntilMs);
    this.#lostMs = Math.min(this.#limitMs, this.#lostMs + Math.max(0, nowMs - fromMs));
    this.#countedUntilMs = Math.max(nowMs, this.#countedUntilMs);
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
        this.lose(askedMs);
      }
    }
  }
}
