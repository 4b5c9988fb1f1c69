import { limitOf } from "../core/release/state/keep-limit.ts";
import type { ReleaseEvent, ReleaseState, StepPlans } from "../core/release/state/release-state.ts";
import { isNotNow } from "./is-not-now.ts";
import type { Clock } from "./ports.ts";

export interface LimitOptions {
  readonly clock: Clock;
  readonly wakeAt: (atMs: number, wake: () => void) => Disposable;
  /** Whether nothing waits to be written down that came before. */
  readonly canTake: (id: string) => boolean;
  /** Throws KIR2034 where nothing is to be done, and KIR2023 where it cannot be written down. */
  readonly take: (id: string, event: ReleaseEvent) => void;
  onDefect(error: unknown): void;
}

/** What a limit depends on. */
interface LimitedRelease {
  readonly id: string;
  readonly plan: Pick<StepPlans, "spec">;
  readonly state: ReleaseState;
}

const tellAgainMs = 2_000;

/** Wakes releases that have taken as long as they may. Beside what a phase waits for, because the limit outlasts phases. */
export class ReleaseLimits implements Disposable {
  readonly #options: LimitOptions;
  readonly #timers = new Map<string, Disposable>();
  #isClosed = false;

  constructor(options: LimitOptions) {
    this.#options = options;
  }

  /** Call it with each new state of a release. A limit begins with the start and never changes. */
  follow({ id, plan, state }: LimitedRelease): void {
    // A move that ends while everything closes is still told of, and no timer may keep the process alive after it.
    if (this.#isClosed) return;
    const dueMs = limitOf(plan, state);
    if (dueMs === undefined) this.#forget(id);
    else if (!this.#timers.has(id)) this.#wait(id, dueMs);
  }

  [Symbol.dispose](): void {
    this.#isClosed = true;
    for (const timer of this.#timers.values()) timer[Symbol.dispose]();
    this.#timers.clear();
  }

  #wait(id: string, atMs: number): void {
    const { wakeAt, clock } = this.#options;
    const timer = wakeAt(atMs, () => {
      if (!this.#end(id)) this.#wait(id, clock.nowMs() + tellAgainMs);
    });
    this.#timers.set(id, timer);
  }

  /** False where it is to be told again. What could not be written down yet comes first, so that nothing is lost. */
  #end(id: string): boolean {
    const { canTake, take, clock } = this.#options;
    if (!canTake(id)) return false;
    try {
      take(id, { kind: "overdue", atMs: clock.nowMs() });
      return true;
    } catch (error) {
      if (!isNotNow(error)) this.#options.onDefect(error);
      return false;
    }
  }

  #forget(id: string): void {
    this.#timers.get(id)?.[Symbol.dispose]();
    this.#timers.delete(id);
  }
}
