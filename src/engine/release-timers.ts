import type { WakeAt } from "./release-ports.ts";

/** What ends by itself unless its release goes on before: holds, checks, and the next try of what failed. One a release. */
export class ReleaseTimers implements Disposable {
  readonly #wakeAt: WakeAt;
  readonly #running = new Map<string, Disposable>();

  constructor(wakeAt: WakeAt) {
    this.#wakeAt = wakeAt;
  }

  /** At a time in milliseconds since the epoch. */
  wakeAt(id: string, atMs: number, wake: () => void): void {
    this.replace(id, this.#wakeAt(atMs, wake));
  }

  /** In the place of the one that runs, which ends. */
  replace(id: string, timer: Disposable): void {
    this.stop(id);
    this.#running.set(id, timer);
  }

  stop(id: string): void {
    this.#running.get(id)?.[Symbol.dispose]();
    this.#running.delete(id);
  }

  [Symbol.dispose](): void {
    for (const timer of this.#running.values()) timer[Symbol.dispose]();
    this.#running.clear();
  }
}
