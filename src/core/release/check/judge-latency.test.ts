import { assert, integer, property } from "fast-check";
import { describe, expect, test } from "vitest";
import type { LatencyLimit } from "../../manifest/release.ts";
import { judgeLatency } from "./judge-latency.ts";
import {
  addLatency,
  countAbove,
  countOf,
  type LatencyBucket,
  type LatencyDistribution,
  percentileOf,
  subtractLatency,
} from "./latency-distribution.ts";

/** Envoy's buckets: two significant digits. */
function bucketOf(ms: number): { readonly fromMs: number; readonly widthMs: number } {
  const widthMs = 10 ** (Math.floor(Math.log10(ms)) - 1);
  return { fromMs: Number((Math.floor(ms / widthMs + 1e-9) * widthMs).toPrecision(2)), widthMs };
}

function distribute(times: readonly number[]): LatencyDistribution {
  const counts = new Map<number, LatencyBucket>();
  for (const ms of times) {
    const bucket = bucketOf(ms);
    counts.set(bucket.fromMs, { ...bucket, count: (counts.get(bucket.fromMs)?.count ?? 0) + 1 });
  }
  return [...counts.values()].toSorted((one, other) => one.fromMs - other.fromMs);
}

/** A generator of its own, so that the draws are the same each time (Numerical Recipes, ranqd1). */
function createDraw(start: number): () => number {
  let seed = start;
  return () => {
    seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
    return (seed + 0.5) / 2 ** 32;
  };
}

/** Exponential times with this mean, the shape of a queue. */
function drawTimes(
  draw: () => number,
  { meanMs, count }: { readonly meanMs: number; readonly count: number },
): number[] {
  return Array.from({ length: count }, () => 1 - meanMs * Math.log(draw()));
}

function percentileOfMean(meanMs: number, percentile: number): number {
  return 1 - meanMs * Math.log(1 - percentile / 100);
}

describe("a percentile", () => {
  test("lies within the bucket that holds the answer of its rank", () => {
    const time = integer({ min: 1, max: 5_000 });
    const draws = integer({ min: 1, max: 2 ** 31 });
    assert(
      property(time, draws, integer({ min: 1, max: 99 }), (meanMs, seed, percentile) => {
        const times = drawTimes(createDraw(seed), { meanMs, count: 200 }).toSorted((one, other) => one - other);
        const exact = times[Math.max(0, Math.ceil((percentile / 100) * 200) - 1)] ?? 0;
        const { fromMs, widthMs } = bucketOf(exact);
        const found = percentileOf(distribute(times), percentile) ?? 0;
        expect(found).toBeGreaterThanOrEqual(fromMs);
        expect(found).toBeLessThanOrEqual(fromMs + widthMs);
      }),
    );
  });

  test("of nothing is nothing", () => {
    expect(percentileOf([], 99)).toBeUndefined();
  });

  test("of a window is that of what came in it", () => {
    const before = distribute([1, 1, 1, 900]);
    const after = distribute([1, 1, 1, 900, 20, 20, 20]);
    expect(subtractLatency(after, before)).toEqual(distribute([20, 20, 20]));
    // A proxy that was started again has counted only what is there.
    expect(subtractLatency(distribute([5]), before)).toEqual(distribute([5]));
    expect(subtractLatency(distribute([5, 5, 5, 5, 5]), before)).toEqual(distribute([5, 5, 5, 5, 5]));
  });

  test("answers of the limit's own bucket may have been quick enough", () => {
    expect(countAbove(distribute([99, 100, 104, 110]), 105)).toBe(1);
    expect(countAbove(distribute([99, 100, 104, 110]), 100)).toBe(3);
    expect(countOf(distribute([99, 100, 104, 110]))).toBe(4);
  });
});

const p99: LatencyLimit = { percentile: 99, maxMs: 300, maxTimesLive: undefined };
const times: LatencyLimit = { percentile: 90, maxMs: undefined, maxTimesLive: 1.5 };

function verdict(
  limit: LatencyLimit,
  seen: Readonly<Record<"fresh" | "live", LatencyDistribution>>,
  isOver = false,
): string {
  return judgeLatency(limit, seen, isOver)?.verdict ?? "wait";
}

function bulk(quick: number, slow: number): LatencyDistribution {
  return addLatency([
    [{ fromMs: 10, widthMs: 1, count: quick }],
    slow === 0 ? [] : [{ fromMs: 500, widthMs: 10, count: slow }],
  ]);
}

describe("a limit in milliseconds", () => {
  test.each([
    // Two of a hundred may be bad luck, until the time is over.
    [bulk(98, 2), false, "wait"],
    [bulk(98, 2), true, "fail"],
    [bulk(950, 50), false, "fail"],
    [bulk(995, 5), false, "wait"],
    [bulk(995, 5), true, "pass"],
    // Among 50 there is no slowest hundredth.
    [bulk(50, 0), true, "unknown"],
    [[], true, "unknown"],
    // No luck is that bad.
    [bulk(40, 10), false, "fail"],
  ])("%j, over: %s", (fresh, isOver, expected) => {
    expect(verdict(p99, { fresh, live: [] }, isOver)).toBe(expected);
  });
});

describe("a limit in times of the version before", () => {
  test.each([
    [bulk(800, 200), bulk(1_000, 0), false, "fail"],
    // Just as slow.
    [bulk(800, 200), bulk(800, 200), false, "wait"],
    [bulk(800, 200), bulk(800, 200), true, "pass"],
    // Slower by the look of it, and that may be chance.
    [bulk(17, 3), bulk(1_000, 0), true, "unknown"],
    // Nothing to compare with.
    [bulk(800, 200), bulk(5, 0), true, "unknown"],
  ])("%j against %j, over: %s", (...[fresh, live, isOver, expected]) => {
    expect(verdict(times, { fresh, live }, isOver)).toBe(expected);
  });
});

test("limits in milliseconds: of 400 checks of a version that just keeps one, each with 40 looks, hardly any is wrong", () => {
  const draw = createDraw(1);
  const limit: LatencyLimit = { percentile: 95, maxMs: percentileOfMean(100, 95), maxTimesLive: undefined };
  let wrong = 0;
  for (let run = 0; run < 400; run += 1) {
    let fresh: LatencyDistribution = [];
    for (let look = 0; look < 40; look += 1) {
      fresh = addLatency([fresh, distribute(drawTimes(draw, { meanMs: 100, count: 15 }))]);
      if (verdict(limit, { fresh, live: [] }) !== "fail") continue;
      wrong += 1;
      break;
    }
  }
  // Once in a thousand is what is promised.
  expect(wrong).toBeLessThanOrEqual(2);
});

test("times of the version before: equal versions are not taken back, whatever their share", () => {
  const draw = createDraw(2);
  const limit: LatencyLimit = { percentile: 90, maxMs: undefined, maxTimesLive: 1 };
  let wrong = 0;
  for (let run = 0; run < 200; run += 1) {
    let fresh: LatencyDistribution = [];
    let live: LatencyDistribution = [];
    for (let look = 0; look < 40; look += 1) {
      fresh = addLatency([fresh, distribute(drawTimes(draw, { meanMs: 50, count: 5 }))]);
      live = addLatency([live, distribute(drawTimes(draw, { meanMs: 50, count: 45 }))]);
      if (verdict(limit, { fresh, live }) !== "fail") continue;
      wrong += 1;
      break;
    }
  }
  expect(wrong).toBeLessThanOrEqual(2);
});

test("a version that is twice as slow is found before its time is over", () => {
  const draw = createDraw(3);
  const limit: LatencyLimit = { percentile: 90, maxMs: undefined, maxTimesLive: 1.2 };
  for (let run = 0; run < 50; run += 1) {
    const fresh = distribute(drawTimes(draw, { meanMs: 100, count: 3_000 }));
    const live = distribute(drawTimes(draw, { meanMs: 50, count: 3_000 }));
    expect(verdict(limit, { fresh, live })).toBe("fail");
    const maximum = { percentile: 90, maxMs: percentileOfMean(50, 90), maxTimesLive: undefined };
    expect(verdict(maximum, { fresh, live })).toBe("fail");
  }
});
