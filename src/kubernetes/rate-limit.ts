import { setTimeout as delay } from "node:timers/promises";

/**
 * A token bucket: so many requests at once, then so many a second, each waiting for its turn in the order of asking.
 * The figures are kubectl's rate (50 a second) and a third of its burst (100 of 300).
 */
export class RateLimit {
  readonly #perSecond: number;
  readonly #burst: number;
  #tokens: number;
  #countedAtMs = performance.now();

  constructor({ perSecond = 50, burst = 100 }: { readonly perSecond?: number; readonly burst?: number } = {}) {
    this.#perSecond = perSecond;
    this.#burst = burst;
    this.#tokens = burst;
  }

  /** Resolves when a request may be sent. */
  async take(signal?: AbortSignal): Promise<void> {
    const now = performance.now();
    this.#tokens = Math.min(this.#burst, this.#tokens + ((now - this.#countedAtMs) / 1_000) * this.#perSecond);
    this.#countedAtMs = now;
    // What is owed is kept as a negative number, so that those who wait do so in their order.
    this.#tokens -= 1;
    if (this.#tokens >= 0) return;
    try {
      await delay((-this.#tokens / this.#perSecond) * 1_000, undefined, { signal });
    } catch (error) {
      // Nothing was sent for it.
      this.#tokens += 1;
      throw error;
    }
  }
}
