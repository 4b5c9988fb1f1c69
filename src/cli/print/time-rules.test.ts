import { expect, test } from "vitest";
import type { Freeze } from "../../core/manifest/release.ts";
import { createInk } from "../ink.ts";
import { renderFreezeSoon, renderTimeRules } from "./time-rules.ts";

const ink = createInk(false);
const weekend: Freeze = { cron: "0 17 * * 5", durationMs: 226_800_000, timeZone: "Asia/Tokyo", reason: "weekend" };
const maxDuration = { durationMs: 21_600_000, action: "rollback" } as const;

test("a freeze in force is told with its end", () => {
  expect(renderFreezeSoon([weekend], Date.parse("2026-11-21T00:00:00Z"), ink)).toEqual([
    "A freeze is in force until 2026-11-22T23:00:00.000Z (weekend): no step gives the new version more.",
  ]);
});

test("a freeze is told of within a day before it, and by a plan whenever it is", () => {
  const line = "The next freeze is from 2026-11-27T08:00:00.000Z until 2026-11-29T23:00:00.000Z (weekend).";
  const wednesday = Date.parse("2026-11-25T00:00:00Z");
  const thursday = Date.parse("2026-11-26T12:00:00Z");
  expect(renderFreezeSoon([weekend], wednesday, ink)).toEqual([]);
  expect(renderFreezeSoon([weekend], thursday, ink)).toEqual([line]);
  expect(renderTimeRules({ freezes: [weekend], maxDuration }, wednesday, ink)).toEqual([
    line,
    "It may take 6 h; then it is rolled back.",
  ]);
});

test("without rules of time nothing is said", () => {
  expect(renderTimeRules({ freezes: [], maxDuration: undefined }, 0, ink)).toEqual([]);
});
