/**
 * Lets moves run side by side and manifests alone: a manifest waits for the moves that run, and moves asked for
 * meanwhile wait for the manifest.
 */
export class SerialWork {
  #exclusive: Promise<unknown> = Promise.resolve();
  readonly #shared = new Set<Promise<unknown>>();

  async shared<Result>(work: () => Promise<Result>): Promise<Result> {
    await this.#waitForExclusive();
    const running = work();
    this.#shared.add(running);
    try {
      return await running;
    } finally {
      this.#shared.delete(running);
    }
  }

  exclusive<Result>(work: () => Promise<Result>): Promise<Result> {
    const before = this.#exclusive;
    const result = (async () => {
      await settled(before);
      await Promise.allSettled(this.#shared);
      return await work();
    })();
    this.#exclusive = settled(result);
    return result;
  }

  /** Resolves when nothing runs. */
  async idle(): Promise<void> {
    await this.#waitForExclusive();
    await Promise.allSettled(this.#shared);
  }

  /** Another one may have been asked for while the last was waited for; it comes first. */
  async #waitForExclusive(): Promise<void> {
    let seen: Promise<unknown>;
    do {
      seen = this.#exclusive;
      await settled(seen);
    } while (seen !== this.#exclusive);
  }
}

/** The caller of the work gets its error; whoever only waits for it does not. */
async function settled(work: Promise<unknown>): Promise<void> {
  await Promise.allSettled([work]);
}
