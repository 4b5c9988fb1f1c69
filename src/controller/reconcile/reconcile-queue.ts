/** What is to be done for objects, by key. Disposing it begins nothing more, and waits for what is under way. */
export interface QueueOptions {
  /** Rejections are told to `onFailure`, and tried again later and later. */
  work(key: string): Promise<void>;
  onFailure(key: string, error: unknown): void;
  /** How many keys are worked on at the same time. */
  readonly concurrency?: number;
  readonly firstRetryMs?: number;
  readonly longestRetryMs?: number;
}

/**
 * One piece of work a key at a time; what is asked for meanwhile is done once more when it ends, however often it was
 * asked for.
 */
export class ReconcileQueue implements AsyncDisposable {
  readonly #options: QueueOptions;
  readonly #waiting = new Set<string>();
  readonly #running = new Map<string, Promise<void>>();
  readonly #timers = new Map<string, { readonly timer: NodeJS.Timeout; readonly atMs: number }>();
  readonly #failures = new Map<string, number>();
  #isClosed = false;

  constructor(options: QueueOptions) {
    this.#options = options;
  }

  add(key: string): void {
    if (this.#isClosed) return;
    this.#stopTimer(key);
    this.#waiting.add(key);
    this.#pump();
  }

  /** Not later than that; an earlier time that was asked for stays. */
  addAfter(key: string, delayMs: number): void {
    if (this.#isClosed) return;
    const atMs = performance.now() + delayMs;
    const known = this.#timers.get(key);
    if (known !== undefined && known.atMs <= atMs) return;
    this.#stopTimer(key);
    this.#timers.set(key, { atMs, timer: setTimeout(() => this.add(key), delayMs) });
  }

  /** Resolves when nothing runs that was asked for until now. */
  async idle(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running.values());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    this.#waiting.clear();
    for (const key of this.#timers.keys()) this.#stopTimer(key);
    await this.idle();
  }

  #stopTimer(key: string): void {
    clearTimeout(this.#timers.get(key)?.timer);
    this.#timers.delete(key);
  }

  #pump(): void {
    const { concurrency = 4 } = this.#options;
    for (const key of this.#waiting) {
      if (this.#running.size >= concurrency) return;
      if (this.#running.has(key)) continue;
      this.#waiting.delete(key);
      this.#running.set(
        key,
        this.#run(key).finally(() => {
          this.#running.delete(key);
          this.#pump();
        }),
      );
    }
  }

  async #run(key: string): Promise<void> {
    // In a turn of its own: what the work does at once may ask for this very key, which has to be known to be worked on.
    await Promise.resolve();
    try {
      await this.#options.work(key);
      this.#failures.delete(key);
    } catch (error) {
      const { firstRetryMs = 1_000, longestRetryMs = 60_000 } = this.#options;
      const failures = this.#failures.get(key) ?? 0;
      this.#failures.set(key, failures + 1);
      this.#options.onFailure(key, error);
      this.addAfter(key, Math.min(longestRetryMs, firstRetryMs * 2 ** Math.min(failures, 10)));
    }
  }
}
