import type { Clock } from "./ports.ts";

/**
 * Lets work that begins in the same moment begin one after the other, with room for everything else in between. Each
 * piece waits for the disk again and again, and hundreds at once would keep a switch by hand waiting for all of them.
 */
export class Turns {
  readonly #clock: Pick<Clock, "sleep">;
  #last: Promise<void> | undefined;

  constructor(clock: Pick<Clock, "sleep">) {
    this.#clock = clock;
  }

  /** Resolves when it is the caller's turn: at once where nobody has just had one. */
  async next(): Promise<void> {
    const before = this.#last;
    const mine = this.#after(before);
    this.#last = mine;
    await before;
  }

  async #after(before: Promise<void> | undefined): Promise<void> {
    await before;
    await this.#clock.sleep(0);
  }
}
