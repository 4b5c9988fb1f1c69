import { setImmediate as untilQuiet } from "node:timers/promises";
import type { Clock } from "../../src/engine/ports.ts";

interface Timer {
  /** When it is due, by the time that passes or by what the wall shows. */
  readonly due: { readonly by: "elapsed" | "wall"; readonly atMs: number };
  fire(): void;
}

/**
 * Time that passes only when it is told to. What waits for promises alone has come to rest after each step, because
 * nothing here waits for anything but these timers.
 */
export class VirtualClock implements Clock {
  #elapsedMs = 0;
  #startMs: number;
  readonly #timers = new Set<Timer>();

  constructor(startMs: number) {
    this.#startMs = startMs;
  }

  nowMs(): number {
    return this.#startMs + this.#elapsedMs;
  }

  get elapsedMs(): number {
    return this.#elapsedMs;
  }

  sleep(durationMs: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#set({ due: { by: "elapsed", atMs: this.#elapsedMs + Math.max(0, durationMs) }, fire: resolve });
    return promise;
  }

  /** By the wall: a clock that is set back makes it later. */
  wakeAt(atMs: number, wake: () => void): Disposable {
    const timer = this.#set({ due: { by: "wall", atMs }, fire: wake });
    return { [Symbol.dispose]: () => void this.#timers.delete(timer) };
  }

  /** Sets what the wall shows, as an administrator or a sleeping laptop does; no time passes. */
  jump(byMs: number): void {
    this.#startMs += byMs;
  }

  async settle(): Promise<void> {
    await untilQuiet();
  }

  /** Lets time pass. @throws where something asks to be called again and again */
  async advance(byMs: number): Promise<void> {
    const endMs = this.#elapsedMs + byMs;
    await this.settle();
    for (let fired = 0; ; fired += 1) {
      const next = this.#next();
      if (next === undefined || this.#dueAt(next) > endMs) break;
      if (fired > 4_000) throw new Error("Something wakes up again and again.");
      this.#elapsedMs = Math.max(this.#elapsedMs, this.#dueAt(next));
      this.#timers.delete(next);
      next.fire();
      await this.settle();
    }
    this.#elapsedMs = endMs;
  }

  #set(timer: Timer): Timer {
    this.#timers.add(timer);
    return timer;
  }

  #next(): Timer | undefined {
    let found: Timer | undefined;
    for (const timer of this.#timers) {
      if (found === undefined || this.#dueAt(timer) < this.#dueAt(found)) found = timer;
    }
    return found;
  }

  #dueAt({ due }: Timer): number {
    return due.by === "elapsed" ? due.atMs : due.atMs - this.#startMs;
  }
}
