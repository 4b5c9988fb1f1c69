import { type CalendarDay, type Cron, isDayOf } from "./cron.ts";
import type { TimeZone, WallMs } from "./time-zone.ts";

/** From each time of an expression on, for so long. */
export interface Windows {
  readonly cron: Cron;
  readonly zone: TimeZone;
  readonly durationMs: number;
}

export interface Window {
  readonly fromMs: number;
  readonly untilMs: number;
}

const dayMs = 86_400_000;
const minuteMs = 60_000;

/** The latest window that has begun and has not ended; it ends before the moment that it is until. */
export function findOpenWindow(windows: Windows, moment: number): Window | undefined {
  const atMs = Math.floor(moment);
  const { durationMs, zone, cron } = windows;
  const wall = zone.wallAt(atMs);
  // The second time that a clock shows an hour, all times of the first have been, those that it shows later too.
  const isFirst = zone.momentOf(wall) === atMs;
  const latest = isFirst ? wall : wall + dayMs;
  const days = Math.ceil(durationMs / dayMs) + 2;
  for (let back = 0; back <= days; back += 1) {
    const times = timesOf(cron, latest - back * dayMs).toReversed();
    for (const time of times) {
      const fromMs = time <= latest ? zone.momentOf(time) : Infinity;
      if (fromMs > atMs) continue;
      return fromMs + durationMs > atMs ? { fromMs, untilMs: fromMs + durationMs } : undefined;
    }
  }
  return undefined;
}

/** The first window that begins after one moment and before another. */
export function findNextWindow(windows: Windows, span: Window): Window | undefined {
  const { durationMs, zone, cron } = windows;
  const wall = zone.wallAt(Math.floor(span.fromMs));
  const days = Math.ceil((span.untilMs - span.fromMs) / dayMs) + 1;
  for (let ahead = 0; ahead <= days; ahead += 1) {
    for (const time of timesOf(cron, wall + ahead * dayMs)) {
      const fromMs = time > wall ? zone.momentOf(time) : -Infinity;
      if (fromMs <= span.fromMs) continue;
      return fromMs < span.untilMs ? { fromMs, untilMs: fromMs + durationMs } : undefined;
    }
  }
  return undefined;
}

/** The times of the day that a wall time is of, in order, whether or not the clock shows them. */
function timesOf(cron: Cron, wall: WallMs): readonly WallMs[] {
  const midnight = Math.floor(wall / dayMs) * dayMs;
  return isDayOf(cron, dayOf(midnight)) ? minutesOfDay(cron).map((minute) => midnight + minute * minuteMs) : [];
}

function minutesOfDay({ hours, minutes }: Cron): readonly number[] {
  return hours.flatMap((hour) => minutes.map((minute) => hour * 60 + minute));
}

function dayOf(wall: WallMs): CalendarDay {
  const date = new Date(wall);
  return { year: date.getUTCFullYear(), month: date.getUTCMonth() + 1, day: date.getUTCDate() };
}

/** Eight years hold a leap day whichever they are, but for those around a century that has none. */
const daysLookedAt = 8 * 366;

/** The longest time between two times of an expression; undefined where it has none. Changes of clocks do not count. */
export function longestGapMs(cron: Cron): number | undefined {
  const times = minutesOfDay(cron);
  const first = times[0] ?? 0;
  const last = times.at(-1) ?? 0;
  const within = Math.max(0, ...times.slice(1).map((minute, index) => minute - (times[index] ?? 0)));
  const start = Date.UTC(2023, 0, 1);
  let previous: number | undefined;
  let longest: number | undefined;
  for (let day = 0; day < daysLookedAt; day += 1) {
    if (!isDayOf(cron, dayOf(start + day * dayMs))) continue;
    const since = previous === undefined ? within : (day - previous) * 1_440 + first - last;
    longest = Math.max(longest ?? 0, within, since);
    previous = day;
  }
  return longest === undefined ? undefined : longest * minuteMs;
}
