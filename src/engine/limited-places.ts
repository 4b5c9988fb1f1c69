/** Gives a number of places to whoever asks first. */
export class LimitedPlaces {
  readonly #waiting: (() => void)[] = [];
  #free: number;

  constructor(count: number) {
    this.#free = count;
  }

  /** Whether whoever asks now would have to wait. */
  get isFull(): boolean {
    return this.#free <= 0;
  }

  /** Resolves when there is a place; disposing what it resolves with gives it to the next. */
  async take(): Promise<Disposable> {
    if (this.isFull) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    else this.#free -= 1;
    return { [Symbol.dispose]: () => this.#giveBack() };
  }

  #giveBack(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#free += 1;
    else next();
  }
}
