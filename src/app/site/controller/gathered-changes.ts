/** A burst of changes, such as a rollout's, is taken at once. */
const gatherMs = 200;

/** Takes changes together that come within a short time. */
export class GatheredChanges implements Disposable {
  readonly #take: () => void;
  #timer: NodeJS.Timeout | undefined;

  constructor(take: () => void) {
    this.#take = take;
  }

  add(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#take();
    }, gatherMs);
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
  }
}
