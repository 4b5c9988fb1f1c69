import { assert, constantFrom, integer, property, record } from "fast-check";
import { describe, expect, test } from "vitest";
import { parseCron } from "./cron.ts";
import { findTimeZone } from "./time-zone.ts";
import { findNextWindow, findOpenWindow, longestGapMs, type Windows } from "./windows.ts";

const hourMs = 3_600_000;

function windows(cron: string, zoneName: string, hours: number): Windows {
  const parsed = parseCron(cron);
  const zone = findTimeZone(zoneName);
  if (parsed.kind === "wrong" || zone === undefined) throw new Error(`${cron} in ${zoneName}`);
  return { cron: parsed.cron, zone, durationMs: hours * hourMs };
}

function open(of: Windows, at: string): readonly string[] | undefined {
  const found = findOpenWindow(of, Date.parse(at));
  return found === undefined ? undefined : [found.fromMs, found.untilMs].map((ms) => new Date(ms).toISOString());
}

test("a weekend in Tokyo begins on Friday at eight o'clock of UTC", () => {
  const weekend = windows("0 17 * * 5", "Asia/Tokyo", 63);
  const whole = ["2026-11-20T08:00:00.000Z", "2026-11-22T23:00:00.000Z"];
  expect(open(weekend, "2026-11-20T07:59:59.999Z")).toBeUndefined();
  expect(open(weekend, "2026-11-20T08:00:00Z")).toEqual(whole);
  expect(open(weekend, "2026-11-22T22:59:59.999Z")).toEqual(whole);
  expect(open(weekend, "2026-11-22T23:00:00Z")).toBeUndefined();
});

describe("where clocks change", () => {
  test("a time that the clock jumps over is the moment of the jump", () => {
    // Berlin goes from 02:00 to 03:00 at 01:00 of UTC.
    const night = windows("30 2 * * *", "Europe/Berlin", 1);
    expect(open(night, "2026-03-29T00:59:59Z")).toBeUndefined();
    expect(open(night, "2026-03-29T01:00:00Z")).toEqual(["2026-03-29T01:00:00.000Z", "2026-03-29T02:00:00.000Z"]);
  });

  test("a time that the clock shows twice is its first", () => {
    // New York goes from 02:00 back to 01:00 at 06:00 of UTC.
    const night = windows("30 1 * * *", "America/New_York", 1);
    expect(open(night, "2026-11-01T05:29:59Z")).toBeUndefined();
    expect(open(night, "2026-11-01T05:30:00Z")).toEqual(["2026-11-01T05:30:00.000Z", "2026-11-01T06:30:00.000Z"]);
    expect(open(night, "2026-11-01T06:29:59Z")).toBeDefined();
    expect(open(night, "2026-11-01T06:30:00Z")).toBeUndefined();
  });

  test("what the first showing of an hour has begun is open in the second, before the clock shows its time again", () => {
    const night = windows("45 1 * * *", "America/New_York", 2);
    // 01:15 for the second time.
    expect(open(night, "2026-11-01T06:15:00Z")).toEqual(["2026-11-01T05:45:00.000Z", "2026-11-01T07:45:00.000Z"]);
  });

  test("a day that an island leaves out begins when it does", () => {
    // Apia went from the end of 29 December 2011 to 31 December at 10:00 of UTC.
    const noon = windows("0 12 30 12 *", "Pacific/Apia", 1);
    expect(open(noon, "2011-12-30T10:00:00Z")).toEqual(["2011-12-30T10:00:00.000Z", "2011-12-30T11:00:00.000Z"]);
    expect(open(noon, "2011-12-30T09:59:59Z")).toBeUndefined();
  });

  test("hours are counted by the clock of the day", () => {
    const evening = windows("0 18 * * *", "America/New_York", 1);
    expect(open(evening, "2026-07-01T22:30:00Z")).toBeDefined();
    expect(open(evening, "2026-12-01T22:30:00Z")).toBeUndefined();
    expect(open(evening, "2026-12-01T23:30:00Z")).toBeDefined();
  });
});

test("the next window begins after a moment, however far it is, and before the end that is looked at", () => {
  const leap = windows("0 0 29 2 *", "UTC", 24);
  const fromMs = Date.parse("2026-11-21T00:00:00Z");
  expect(findNextWindow(leap, { fromMs, untilMs: fromMs + 24 * hourMs })).toBeUndefined();
  expect(findNextWindow(leap, { fromMs, untilMs: fromMs + 700 * 24 * hourMs })).toEqual({
    fromMs: Date.parse("2028-02-29T00:00:00Z"),
    untilMs: Date.parse("2028-03-01T00:00:00Z"),
  });
  const begun = windows("0 0 * * *", "UTC", 1);
  expect(findNextWindow(begun, { fromMs, untilMs: fromMs + 48 * hourMs })?.fromMs).toBe(fromMs + 24 * hourMs);
});

test.each([
  ["* * * * *", 60_000],
  ["*/10 * * * *", 10 * 60_000],
  ["0 9,17 * * *", 16 * hourMs],
  ["0 17 * * 5", 7 * 24 * hourMs],
  ["0 0 29 2 *", 1_461 * 24 * hourMs],
  ["0 0 30 2 *", undefined],
])("the longest time between two of %s", (text, gapMs) => {
  const parsed = parseCron(text);
  expect(parsed.kind === "cron" && longestGapMs(parsed.cron)).toBe(gapMs);
});

/** Looks at every minute from far enough before, by nothing but the clock: slow, and hard to get wrong. */
function isOpenByTheClock(of: Windows, atMs: number): boolean {
  const { cron, zone, durationMs } = of;
  for (let minute = Math.floor(atMs / 60_000) * 60_000; minute > atMs - durationMs; minute -= 60_000) {
    const wall = new Date(zone.wallAt(minute));
    const isDay = cron.daysOfWeek.has(wall.getUTCDay()) && cron.daysOfMonth.has(wall.getUTCDate());
    if (isDay && cron.hours.includes(wall.getUTCHours()) && cron.minutes.includes(wall.getUTCMinutes())) return true;
  }
  return false;
}

test("agrees with a look at every minute, away from changed clocks", () => {
  assert(
    property(
      constantFrom("0 17 * * 5", "*/45 3-5 * * *", "15 0 * * MON-FRI", "59 23 */2 * *"),
      constantFrom("Asia/Tokyo", "Asia/Kathmandu", "America/Sao_Paulo", "UTC"),
      record({ hours: integer({ min: 1, max: 30 }), minute: integer({ min: 0, max: 365 * 24 * 60 }) }),
      (cron, zone, { hours, minute }) => {
        const of = windows(cron, zone, hours);
        const atMs = Date.parse("2026-01-01T00:00:00Z") + minute * 60_000 + 30_000;
        expect(findOpenWindow(of, atMs) !== undefined).toBe(isOpenByTheClock(of, atMs));
      },
    ),
    { numRuns: 100 },
  );
});
