import { array, assert, integer, property, record } from "fast-check";
import { describe, expect, test } from "vitest";
import { beginSpan, type CounterMark, extendSpan, type TrafficSpan } from "./traffic-span.ts";

function mark(blue: number, green: readonly [number, number] = [0, 0], proxies = "gateway 1"): CounterMark {
  const [requests, errors] = green;
  return { proxies, versions: { blue: { requests: blue, errors: 0 }, green: { requests, errors } } };
}

describe("a span of traffic", () => {
  test("counts what came after it began", () => {
    const span = extendSpan(
      extendSpan(beginSpan(1_000, mark(500, [7, 1])), 2_000, mark(600, [8, 1])),
      3_000,
      mark(640, [18, 4]),
    );
    expect(span).toMatchObject({
      fromMs: 1_000,
      untilMs: 3_000,
      isComplete: true,
      versions: { blue: { requests: 140, errors: 0 }, green: { requests: 11, errors: 3 } },
      points: { lengthsMs: [1_000, 1_000], requests: { blue: [100, 40], green: [1, 10] }, errors: { green: [0, 3] } },
    });
  });

  test("says so where a proxy has begun to count anew", () => {
    const begun = beginSpan(0, mark(500));
    expect(extendSpan(begun, 1_000, mark(40))).toMatchObject({
      isComplete: false,
      versions: { blue: { requests: 40 } },
    });
    const other = extendSpan(begun, 1_000, mark(700, [0, 0], "gateway 2"));
    expect(other).toMatchObject({ isComplete: false, versions: { blue: { requests: 700 } } });
    expect(extendSpan(other, 2_000, mark(710, [0, 0], "gateway 2")).isComplete).toBe(false);
  });

  test("never has more errors than answers, and loses none", () => {
    const early = extendSpan(beginSpan(0, mark(0)), 1_000, mark(0, [2, 3]));
    expect(early.versions["green"]).toEqual({ requests: 2, errors: 2 });
    expect(extendSpan(early, 2_000, mark(0, [5, 3])).versions["green"]).toEqual({ requests: 5, errors: 3 });
  });

  test("takes no look that is older than its last", () => {
    const span = extendSpan(beginSpan(0, mark(0)), 1_000, mark(5));
    expect(extendSpan(span, 900, mark(3))).toBe(span);
  });

  test("keeps looks that come a little early or late apart, and joins what comes much too early", () => {
    let span = beginSpan(0, mark(0));
    for (const [index, atMs] of [990, 2_010, 2_100, 3_000].entries()) span = extendSpan(span, atMs, mark(index + 1));
    expect(span.points).toMatchObject({ lengthsMs: [990, 1_020, 990], requests: { blue: [1, 1, 2] } });
  });
});

function total(column: readonly number[] | undefined): number {
  return (column ?? []).reduce((sum, each) => sum + each, 0);
}

const look = record({
  laterMs: integer({ min: 1, max: 90_000 }),
  blue: integer({ min: 0, max: 9 }),
  bad: integer({ min: 0, max: 2 }),
});

test("points never are too many, and add up to what the span has counted", () => {
  assert(
    property(array(look, { maxLength: 700 }), (looks) => {
      let span: TrafficSpan = beginSpan(0, mark(3, [9, 2]));
      let [atMs, blue, green, bad] = [0, 3, 9, 2];
      for (const each of looks) {
        atMs += each.laterMs;
        blue += each.blue;
        green += each.bad * 2;
        bad += each.bad;
        span = extendSpan(span, atMs, mark(blue, [green, bad]));
        expect(span.points.lengthsMs.length).toBeLessThanOrEqual(120);
      }
      const { points, versions } = span;
      expect(versions).toEqual({
        blue: { requests: blue - 3, errors: 0 },
        green: { requests: green - 9, errors: bad - 2 },
      });
      expect(total(points.lengthsMs)).toBe(span.untilMs - span.fromMs);
      for (const name of ["blue", "green"]) {
        expect(total(points.requests[name])).toBe(versions[name]?.requests);
        expect(total(points.errors[name])).toBe(versions[name]?.errors);
        for (const column of [points.requests[name], points.errors[name]])
          if (column !== undefined) expect(column).toHaveLength(points.lengthsMs.length);
      }
    }),
    { numRuns: 200 },
  );
});
