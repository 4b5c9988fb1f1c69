/** Wakes whoever waits, and remembers a call that came when nobody did, so that none is lost. */
export class Signal {
  #isRaised = false;
  #resume: (() => void) | undefined;

  raise(): void {
    this.#isRaised = true;
    this.#resume?.();
  }

  /** Returns at once when it was raised since the last wait. One waiter at a time. */
  async wait(): Promise<void> {
    if (!this.#isRaised) {
      await new Promise<void>((resolve) => {
        this.#resume = resolve;
      });
      this.#resume = undefined;
    }
    this.#isRaised = false;
  }
}
