import { setTimeout as delay } from "node:timers/promises";
import type { Clock } from "./ports.ts";

/**
 * The system's time with fractions of a millisecond. `performance` alone would drift from the wall clock that proxies
 * stamp their log entries with (a suspended laptop, a stepped clock), and `Date.now` alone is too coarse for a switch of
 * two milliseconds; so the one is kept within the millisecond that the other shows.
 */
export function createSystemClock(): Clock {
  let shift = 0;
  return {
    nowMs(): number {
      const wall = Date.now();
      const fine = performance.timeOrigin + performance.now();
      const shifted = fine + shift;
      const within = Math.min(Math.max(shifted, wall), wall + 0.999);
      shift = within - fine;
      return within;
    },
    async sleep(durationMs: number): Promise<void> {
      await delay(durationMs);
    },
  };
}
