/** A time of day as a clock on the wall shows it, in milliseconds as if it were UTC. */
export type WallMs = number;

/** The clocks of one place. */
export interface TimeZone {
  /** Of a whole number of milliseconds. */
  wallAt(atMs: number): WallMs;
  /**
   * When the clock shows a time: the first moment where it does so twice (the end of summer time), and where it never
   * does (its beginning), the moment at which the clock jumps over it.
   */
  momentOf(wall: WallMs): number;
}

/** Undefined for a name that is none of the IANA's. */
export function findTimeZone(name: string): TimeZone | undefined {
  const clock = createClock(name);
  if (clock === undefined) return undefined;
  const wallAt = (atMs: number): WallMs => readClock(clock, atMs);
  return { wallAt, momentOf: (wall) => momentOf(wall, wallAt) };
}

function createClock(timeZone: string): Intl.DateTimeFormat | undefined {
  try {
    return new Intl.DateTimeFormat("en-US", {
      timeZone,
      calendar: "iso8601",
      numberingSystem: "latn",
      hourCycle: "h23",
      year: "numeric",
      month: "numeric",
      day: "numeric",
      hour: "numeric",
      minute: "numeric",
      second: "numeric",
    });
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

function readClock(clock: Intl.DateTimeFormat, atMs: number): WallMs {
  const parts = new Map(clock.formatToParts(atMs).map(({ type, value }) => [type, Number(value)]));
  const part = (type: Intl.DateTimeFormatPartTypes): number => parts.get(type) ?? 0;
  const seconds = Date.UTC(part("year"), part("month") - 1, part("day"), part("hour"), part("minute"), part("second"));
  return seconds + (((atMs % 1_000) + 1_000) % 1_000);
}

const dayMs = 86_400_000;

function momentOf(wall: WallMs, wallAt: (atMs: number) => WallMs): number {
  // No clock is further than a day from UTC, so these are before and after whatever it does around this time.
  const before = wallAt(wall - dayMs) - (wall - dayMs);
  const after = wallAt(wall + dayMs) - (wall + dayMs);
  const moments = [wall - before, wall - after].filter((atMs) => wallAt(atMs) === wall);
  if (moments.length > 0) return Math.min(...moments);
  let shownEarlier = wall - Math.max(before, after);
  let shownLater = wall - Math.min(before, after);
  while (shownLater - shownEarlier > 1) {
    const middle = Math.floor((shownEarlier + shownLater) / 2);
    if (wallAt(middle) < wall) shownEarlier = middle;
    else shownLater = middle;
  }
  return shownLater;
}
