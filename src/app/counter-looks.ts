import { setTimeout as delay } from "node:timers/promises";
import type { CountersByDestination } from "../engine/release-check.ts";
import type { CounterReading } from "../engine/traffic-meter.ts";
import type { TrafficReading } from "./traffic-history.ts";

export interface CounterLookParts {
  /** Undefined while a proxy cannot be asked. */
  readonly stats: () => Promise<CountersByDestination | undefined>;
  /** Which processes count now; undefined while one does not run. */
  readonly processes: () => string | undefined;
  /** Hears of every look that was answered, in order. */
  onReading(reading: CounterReading): void;
  readonly nowMs: () => number;
}

/**
 * How long anybody waits for a look that only makes a figure finer. A look takes milliseconds, and on a machine that has
 * too much to do up to a second; what the last look of a release misses is missing in its report for ever.
 */
const soonMs = 2_000;

/** Looks at the counters of the proxies: whoever asks while one is under way shares it, so that 200 releases cost as much as one. */
export class CounterLooks {
  readonly #parts: CounterLookParts;
  #underWay: Promise<CountersByDestination | undefined> | undefined;
  /** Begins when the one that is under way has ended. */
  #next: Promise<unknown> | undefined;

  constructor(parts: CounterLookParts) {
    this.#parts = parts;
  }

  /** Undefined while a proxy cannot be asked. The answer may have waited, so its arrival is not when it was true. */
  async read(): Promise<TrafficReading | undefined> {
    const { nowMs } = this.#parts;
    const askedMs = nowMs();
    const counters = await this.look();
    return counters === undefined ? undefined : { atMs: Math.round((askedMs + nowMs()) / 2), counters };
  }

  /** Undefined while a proxy cannot be asked. */
  async look(): Promise<CountersByDestination | undefined> {
    this.#underWay ??= this.#look().finally(() => {
      this.#underWay = undefined;
    });
    return await this.#underWay;
  }

  /**
   * Looks for its listener alone, at all that is counted by now: one that is under way may have asked before. It
   * resolves soon, whether the proxies answer or not.
   */
  async lookSoon(): Promise<void> {
    // Whatever is wrong with this look is wrong with the one of each second too, which tells of it.
    const look = this.#lookAnew().catch(() => undefined);
    await Promise.race([look, delay(soonMs, undefined, { ref: false })]);
  }

  #lookAnew(): Promise<unknown> {
    if (this.#underWay === undefined) return this.look();
    const anew = (): Promise<unknown> => {
      this.#next = undefined;
      return this.look();
    };
    this.#next ??= this.#underWay.then(anew, anew);
    return this.#next;
  }

  async #look(): Promise<CountersByDestination | undefined> {
    const { stats, processes, nowMs } = this.#parts;
    const before = processes();
    const askedMs = nowMs();
    const counters = await stats();
    // One that ended and began again meanwhile may have answered in either of its lives.
    if (counters !== undefined && before !== undefined && processes() === before) {
      this.#parts.onReading({ askedMs, answeredMs: nowMs(), proxies: before, counters });
    }
    return counters;
  }
}
