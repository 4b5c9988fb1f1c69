import { expect, test } from "vitest";
import type { LoadRecord } from "./load-records.ts";
import { countAnswers, median, percentile, summarizeLoad, viewSwitch } from "./load-summary.ts";

function record(sentMs: number, doneMs: number, rest: Partial<LoadRecord> = {}): LoadRecord {
  return { sentMs, doneMs, lateMs: 0, status: 200, version: "blue", error: undefined, request: 0, ...rest };
}

const lost = { status: 0, version: undefined, error: "closed without an answer" };

test("requests are ok or failed, and every answer has a version", () => {
  const summary = summarizeLoad([
    record(0, 1),
    record(0, 3, { version: "green" }),
    record(0, 2, { status: 503, version: undefined }),
    record(0, 9, lost),
    record(0, 2, { status: 404 }),
  ]);
  expect(summary).toMatchObject({ requests: 5, ok: 3, failed: 2, byVersion: { blue: 2, green: 1, unknown: 1 } });
  expect(summary.failures).toEqual({ "503": 1, "closed without an answer": 1 });
  expect(summary.p50Ms).toBe(2);
  expect(summary.maxMs).toBe(3);
});

test("a switch is seen by when requests were sent, not by when they were answered", () => {
  const view = viewSwitch(
    [
      record(90, 101),
      record(100.5, 102),
      record(101, 103, { version: "green" }),
      record(102, 106),
      record(108, 109, { version: "green" }),
      record(111, 112),
      record(115, 116, lost),
      record(199, 202),
      record(500, 501),
    ],
    { old: "blue", new: "green", callMs: 100, doneMs: 110, fromMs: 90, untilMs: 200 },
  );
  expect(view).toEqual({
    firstNewMs: 3,
    lastOldSentMs: 11,
    lastOldDoneMs: 12,
    oldAfterDone: 1,
    mixed: 2,
    requests: 8,
    failed: 1,
  });
});

test("what never happened is undefined", () => {
  const view = viewSwitch([], { old: "blue", new: "green", callMs: 0, doneMs: 1, untilMs: 2 });
  expect(view).toMatchObject({ firstNewMs: undefined, lastOldSentMs: undefined, oldAfterDone: 0, requests: 0 });
});

test("counts the answers of one version to requests sent after a moment", () => {
  const records = [record(1, 2), record(3, 4), record(3, 4, { version: "green" })];
  expect(countAnswers(records, "blue", 1)).toBe(1);
});

test("percentiles are values that were measured", () => {
  expect(percentile([1, 2, 3, 4], 0.5)).toBe(3);
  expect(percentile([1, 2, 3, 4], 1)).toBe(4);
  expect(percentile([], 0.5)).toBeNaN();
  expect(median([9, 1, 5])).toBe(5);
});
