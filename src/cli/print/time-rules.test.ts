import { expect, test } from "vitest";
import type { Freeze } from "../../core/manifest/release.ts";
import { createInk } from "../ink.ts";
import { renderTimeWarnings, renderTimeRules } from "./time-rules.ts";

const ink = createInk(false);
const weekend: Freeze = { cron: "0 17 * * 5", durationMs: 226_800_000, timeZone: "Asia/Tokyo", reason: "weekend" };
const hold = { kind: "hold", durationMs: 21_600_000 } as const;
const frozen = { steps: [], spec: { freezes: [weekend], maxDuration: undefined } };
const maxDuration = { durationMs: 21_600_000, action: "rollback" } as const;

test("a freeze in force is told with its end", () => {
  expect(renderTimeWarnings(frozen, Date.parse("2026-11-21T00:00:00Z"), ink)).toEqual([
    "A freeze is in force until 2026-11-22T23:00:00Z (weekend): no step gives the new version more.",
  ]);
});

test("a freeze is told of within a day before it, and by a plan whenever it is", () => {
  const line = "The next freeze is from 2026-11-27T08:00:00Z until 2026-11-29T23:00:00Z (weekend).";
  const wednesday = Date.parse("2026-11-25T00:00:00Z");
  const thursday = Date.parse("2026-11-26T12:00:00Z");
  expect(renderTimeWarnings(frozen, wednesday, ink)).toEqual([]);
  expect(renderTimeWarnings(frozen, thursday, ink)).toEqual([line]);
  expect(renderTimeRules({ steps: [], spec: { freezes: [weekend], maxDuration } }, wednesday, ink)).toEqual([
    line,
    "It may take 6 h; then it is rolled back.",
  ]);
});

test("without rules of time nothing is said", () => {
  expect(renderTimeRules({ steps: [hold], spec: { freezes: [], maxDuration: undefined } }, 0, ink)).toEqual([]);
});

test("a time that its own holds exceed is told of", () => {
  const plan = { steps: [hold], spec: { freezes: [], maxDuration } };
  expect(renderTimeWarnings(plan, 0, ink)).toEqual([
    "Its holds and checks alone take 6 h, so it is rolled back before its end.",
  ]);
  const longer = { ...maxDuration, durationMs: hold.durationMs + 1 };
  expect(renderTimeWarnings({ ...plan, spec: { freezes: [], maxDuration: longer } }, 0, ink)).toEqual([]);
});
