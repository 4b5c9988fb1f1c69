import { expect, test } from "vitest";
import type { Freeze } from "../../manifest/release.ts";
import { findComingFreeze, findFreeze } from "./find-freeze.ts";

const hourMs = 3_600_000;
const weekend: Freeze = { cron: "0 17 * * 5", durationMs: 63 * hourMs, timeZone: "Asia/Tokyo", reason: "weekend" };
const monday: Freeze = { cron: "0 8 * * 1", durationMs: 2 * hourMs, timeZone: "Asia/Tokyo", reason: undefined };
const at = (text: string): number => Date.parse(text);

test("freezes that follow upon each other are one, for the reason of the first", () => {
  expect(findFreeze([monday, weekend], at("2026-11-20T09:00:00Z"))).toEqual({
    untilMs: at("2026-11-23T01:00:00Z"),
    reason: "weekend",
  });
  expect(findFreeze([monday, weekend], at("2026-11-23T00:30:00Z"))).toEqual({
    untilMs: at("2026-11-23T01:00:00Z"),
    reason: null,
  });
  expect(findFreeze([monday, weekend], at("2026-11-23T01:00:00Z"))).toBeUndefined();
  expect(findFreeze([], 0)).toBeUndefined();
});

test("a fraction of a millisecond before a freeze is before it", () => {
  expect(findFreeze([weekend], at("2026-11-20T08:00:00Z") - 0.25)).toBeUndefined();
  expect(findFreeze([weekend], at("2026-11-20T08:00:00Z") + 0.25)).toBeDefined();
});

test("freezes that leave no time between them are looked through no further than a year", () => {
  const days: Freeze = { cron: "0 0 * * *", durationMs: 24 * hourMs, timeZone: "UTC", reason: "days" };
  const until = findFreeze([days], at("2026-11-20T09:00:00Z"))?.untilMs ?? 0;
  expect(until).toBeGreaterThanOrEqual(at("2027-11-21T00:00:00Z"));
  expect(until).toBeLessThan(at("2027-11-24T00:00:00Z"));
});

test("the one that comes first is told", () => {
  const fromMs = at("2026-11-20T00:00:00Z");
  expect(findComingFreeze([monday, weekend], { fromMs, untilMs: fromMs + 24 * hourMs })).toEqual({
    fromMs: at("2026-11-20T08:00:00Z"),
    untilMs: at("2026-11-22T23:00:00Z"),
    reason: "weekend",
  });
  expect(findComingFreeze([monday, weekend], { fromMs, untilMs: fromMs + hourMs })).toBeUndefined();
});
