export interface CountingSteps {
  /** Resolves when every worker was seen to count. Where it rejects, it leaves counting off. */
  turnOn(): Promise<void>;
  /** Resolves with whether counting ended without a loss. */
  turnOff(): Promise<boolean>;
}

/**
 * Counting is on while somebody holds it. Moves of several VirtualServices overlap, so holders are counted, and one
 * step ends before the next begins: nobody holds what another is about to turn off.
 */
export class CountingSwitch {
  readonly #steps: CountingSteps;
  #holders = 0;
  #lastTurn: Promise<unknown> = Promise.resolve();

  constructor(steps: CountingSteps) {
    this.#steps = steps;
  }

  /** Resolves when counting was seen to be on. Who is rejected holds nothing. */
  acquire(): Promise<void> {
    return this.#inTurn(async () => {
      if (this.#holders === 0) await this.#steps.turnOn();
      this.#holders += 1;
    });
  }

  /** To be called once by each holder. Undefined while others still hold it, and else what turning off showed. */
  release(): Promise<boolean | undefined> {
    return this.#inTurn(async () => {
      this.#holders -= 1;
      return this.#holders === 0 ? await this.#steps.turnOff() : undefined;
    });
  }

  #inTurn<Result>(step: () => Promise<Result>): Promise<Result> {
    const turn = this.#lastTurn.then(step, step);
    // Each caller gets its own error; the next one only waits.
    this.#lastTurn = turn.catch(() => undefined);
    return turn;
  }
}
