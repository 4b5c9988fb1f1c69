import { limitOf } from "../core/release/keep-limit.ts";
import type { StoredRelease } from "./fold-releases.ts";

export interface LimitOptions {
  readonly wakeAt: (atMs: number, wake: () => void) => Disposable;
  /** Tells the release that its time is over; false where that could not be written down. */
  overdue(id: string): boolean;
  nowMs(): number;
}

const tellAgainMs = 2_000;

/** Wakes releases that have taken as long as they may. Beside what a phase waits for, because the limit outlasts phases. */
export class ReleaseLimits implements Disposable {
  readonly #options: LimitOptions;
  readonly #timers = new Map<string, Disposable>();

  constructor(options: LimitOptions) {
    this.#options = options;
  }

  /** Call it with each new state of a release. A limit begins with the start and never changes. */
  follow({ id, plan, state }: StoredRelease): void {
    const dueMs = limitOf(plan, state);
    if (dueMs === undefined) this.#forget(id);
    else if (!this.#timers.has(id)) this.#wait(id, dueMs);
  }

  [Symbol.dispose](): void {
    for (const timer of this.#timers.values()) timer[Symbol.dispose]();
    this.#timers.clear();
  }

  #wait(id: string, atMs: number): void {
    const options = this.#options;
    const timer = options.wakeAt(atMs, () => {
      if (!options.overdue(id)) this.#wait(id, options.nowMs() + tellAgainMs);
    });
    this.#timers.set(id, timer);
  }

  #forget(id: string): void {
    this.#timers.get(id)?.[Symbol.dispose]();
    this.#timers.delete(id);
  }
}
