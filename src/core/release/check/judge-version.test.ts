import { assert, double, integer, property } from "fast-check";
import { describe, expect, test } from "vitest";
import { plainCheck } from "../../../../test/check.fixture.ts";
import type { Check } from "../../manifest/release.ts";
import { judgeVersion, type VersionCounts } from "./judge-version.ts";

const compare: Check = { ...plainCheck, comparesWithLive: true };
const threshold: Check = { ...compare, minSuccessPercent: 99, comparesWithLive: false };

function counts(requests: number, errors: number): VersionCounts {
  return { requests, errors };
}

function verdict(check: Check, [fresh, live]: readonly [VersionCounts, VersionCounts], isOver = false): string {
  return judgeVersion(check, { fresh, live }, isOver)?.verdict ?? "wait";
}

describe("a threshold", () => {
  test.each([
    [counts(19, 19), false, "wait"],
    [counts(19, 19), true, "unknown"],
    // Two in a hundred may be one in a hundred and bad luck, until the time is over.
    [counts(100, 2), false, "wait"],
    [counts(100, 2), true, "fail"],
    // No luck is that bad.
    [counts(20, 10), false, "fail"],
    [counts(1_000, 50), false, "fail"],
    [counts(100, 1), false, "wait"],
    [counts(100, 1), true, "pass"],
    // 99.999 % is not 100 %.
    [counts(100_000, 1), true, "pass"],
  ])("%j, over: %s", (fresh, isOver, expected) => {
    expect(verdict(threshold, [fresh, counts(0, 0)], isOver)).toBe(expected);
  });

  test("what is not all good does not round to 100 %", () => {
    expect(verdict({ ...threshold, minSuccessPercent: 100 }, [counts(100_000, 1), counts(0, 0)])).toBe("fail");
  });
});

describe("a comparison", () => {
  test.each([
    // 5 % errors against none, among enough requests.
    [counts(1_000, 50), counts(1_000, 0), "fail"],
    // As bad as the version before.
    [counts(1_000, 50), counts(1_000, 50), "wait"],
    // One unlucky request says little.
    [counts(20, 1), counts(1_000, 0), "wait"],
    [counts(20, 20), counts(20, 0), "fail"],
    // Nothing to compare with.
    [counts(1_000, 50), counts(10, 0), "wait"],
    [counts(0, 0), counts(1_000, 0), "wait"],
  ])("%j against %j", (fresh, live, expected) => {
    expect(verdict(compare, [fresh, live])).toBe(expected);
  });
});

test("a version that is better or equal never fails the comparison, and more errors never turn a failure around", () => {
  const size = integer({ min: 20, max: 100_000 });
  assert(
    property(size, size, double({ min: 0, max: 1, noNaN: true }), (freshRequests, liveRequests, rate) => {
      const live = counts(liveRequests, Math.ceil(liveRequests * rate));
      const fresh = counts(freshRequests, Math.floor(freshRequests * rate));
      expect(verdict(compare, [fresh, live])).toBe("wait");
      const worse = counts(freshRequests, Math.min(freshRequests, fresh.errors + 1));
      if (verdict(compare, [fresh, live], true) === "fail") expect(verdict(compare, [worse, live], true)).toBe("fail");
    }),
  );
});

describe("a comparison among few errors", () => {
  test.each([
    // One error is luck, however good the version before is.
    [counts(20, 1), counts(100_000, 10), "wait"],
    [counts(20, 1), counts(10_000, 0), "wait"],
    // Three of the first twenty are not, where there is hardly one in ten thousand.
    [counts(20, 3), counts(100_000, 10), "fail"],
    [counts(1_000, 4), counts(9_000, 0), "fail"],
  ])("%j against %j", (fresh, live, expected) => {
    expect(verdict(compare, [fresh, live])).toBe(expected);
  });
});

/** A generator of its own, so that the draws are the same each time (Numerical Recipes, ranqd1). */
function drawErrors(rate: number): (requests: number) => number {
  let seed = 1;
  const draw = (): number => {
    seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
    return seed / 2 ** 32;
  };
  return (requests) => Array.from({ length: requests }, draw).filter((drawn) => drawn < rate).length;
}

test("a version that is just good enough is not taken back by an unlucky look", () => {
  const errorsOf = drawErrors(0.01);
  let wrong = 0;
  for (let run = 0; run < 1_000; run += 1) {
    let seen = counts(0, 0);
    let isTakenBack = false;
    for (let look = 0; look < 60; look += 1) {
      seen = counts(seen.requests + 20, seen.errors + errorsOf(20));
      isTakenBack ||= verdict(threshold, [seen, counts(0, 0)]) === "fail";
    }
    if (isTakenBack) wrong += 1;
  }
  expect(wrong).toBeLessThanOrEqual(2);
});

test("equal versions are not called worse more often than is said", () => {
  const errorsOf = drawErrors(0.02);
  let wrong = 0;
  for (let run = 0; run < 2_000; run += 1) {
    if (verdict(compare, [counts(300, errorsOf(300)), counts(300, errorsOf(300))]) === "fail") wrong += 1;
  }
  expect(wrong).toBeLessThanOrEqual(2);
});

test.each([
  { rate: 0.0005, share: 0.05 },
  { rate: 0.02, share: 0.05 },
  { rate: 0.02, share: 0.5 },
  { rate: 0.3, share: 0.2 },
])("of 200 checks of equal versions, each with 60 looks, hardly any is wrong: %j", ({ rate, share }) => {
  const errorsOf = drawErrors(rate);
  const fresh = Math.round(100 * share);
  let wrong = 0;
  for (let run = 0; run < 200; run += 1) {
    let seen = { fresh: counts(0, 0), live: counts(0, 0) };
    for (let look = 0; look < 60; look += 1) {
      seen = {
        fresh: counts(seen.fresh.requests + fresh, seen.fresh.errors + errorsOf(fresh)),
        live: counts(seen.live.requests + 100 - fresh, seen.live.errors + errorsOf(100 - fresh)),
      };
      if (verdict(compare, [seen.fresh, seen.live]) !== "fail") continue;
      wrong += 1;
      break;
    }
  }
  // Once in a thousand is what is promised.
  expect(wrong).toBeLessThanOrEqual(2);
});

test("a version with 5 % errors beside one with 1 % is found within 1,000 requests at a tenth of the traffic", () => {
  const [bad, good] = [drawErrors(0.05), drawErrors(0.01)];
  for (let run = 0; run < 20; run += 1) {
    expect(verdict(compare, [counts(1_000, bad(1_000)), counts(9_000, good(9_000))])).toBe("fail");
  }
});

describe("ejections", () => {
  const check: Check = { ...plainCheck, comparesWithLive: false, maxEjections: 1 };
  const served: VersionCounts = { requests: 0, errors: 0, ejections: 1 };

  test.each([
    [{ ...served, ejections: 2 }, false, "fail"],
    [served, false, "wait"],
    // Who is still out of rotation from before the check takes no visitors either.
    [{ ...served, ejections: 0, outOfRotation: 2 }, false, "fail"],
    // That nothing was ejected says nothing where nothing was asked.
    [served, true, "unknown"],
    [{ ...served, requests: 20 }, true, "pass"],
    // Nothing ever takes an endpoint out, so that none was taken out says nothing.
    [counts(100, 0), true, "unknown"],
  ])("%j, over: %s", (fresh, isOver, expected) => {
    expect(verdict(check, [fresh, counts(0, 0)], isOver)).toBe(expected);
  });
});

describe("answers to copied requests that differ", () => {
  const check: Check = { ...plainCheck, maxDifferentPercent: 1, judges: [] };

  test.each([
    [undefined, true, "unknown"],
    [{ compared: 19, different: 0 }, true, "unknown"],
    [{ compared: 100, different: 1 }, true, "pass"],
    [{ compared: 100, different: 2 }, false, "wait"],
    [{ compared: 100, different: 2 }, true, "fail"],
    [{ compared: 100, different: 20 }, false, "fail"],
  ])("%j, over: %s", (answers, isOver, expected) => {
    expect(judgeVersion(check, { fresh: counts(0, 0), live: counts(0, 0), answers }, isOver)?.verdict ?? "wait").toBe(
      expected,
    );
  });
});

describe("several figures", () => {
  const check: Check = {
    ...threshold,
    latency: [{ percentile: 50, maxMs: 100, maxTimesLive: undefined }],
    maxEjections: 0,
  };
  const slow = [{ fromMs: 200, widthMs: 10, count: 1_000 }];

  test("fail where one does, and know nothing where one does not", () => {
    const fresh = { ...counts(1_000, 0), ejections: 0, latency: [{ fromMs: 10, widthMs: 1, count: 1_000 }] };
    expect(verdict(check, [fresh, counts(0, 0)], true)).toBe("pass");
    expect(verdict(check, [{ ...fresh, latency: slow }, counts(0, 0)])).toBe("fail");
    expect(verdict(check, [{ ...counts(1_000, 0), latency: fresh.latency }, counts(0, 0)], true)).toBe("unknown");
    const detail = judgeVersion(check, { fresh, live: counts(0, 0) }, true)?.detail;
    expect(detail).toBe(
      "endpoints of the new version were taken out of rotation 0 times, and 100 % of 1000 answers of the new version " +
        "were good, and p50 of 1000 answers of the new version was 10.5 ms",
    );
  });
});
