/**
 * How long to wait after each of several failures in a row: 0.25 s, then twice as long each time up to 5 s, less up to a
 * half by lot, so that clients of a server that was away do not come back in one moment.
 */
export class Backoff {
  #failures = 0;

  /** How many there were since the last success. */
  get failures(): number {
    return this.#failures;
  }

  nextMs(): number {
    const longest = Math.min(250 * 2 ** this.#failures, 5_000);
    this.#failures += 1;
    return longest * (1 - Math.random() / 2);
  }

  succeeded(): void {
    this.#failures = 0;
  }
}
