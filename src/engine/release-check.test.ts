import { describe, expect, test } from "vitest";
import { plainCheck } from "../../test/check.fixture.ts";
import type { ReleasePlan } from "../core/release/plan/plan-release.ts";
import type { Check } from "../core/manifest/release.ts";
import type { Clock } from "./ports.ts";
import { type CountersByDestination, runCheck } from "./release-check.ts";
import type { Judgement } from "../core/release/check/judge-version.ts";

const check: Check = { ...plainCheck, durationMs: 3_000, minRequests: 10, minSuccessPercent: 99 };
const plan = {
  release: "shop/r",
  to: "green",
  steps: [
    {
      kind: "weight",
      moves: [
        {
          to: "green",
          versions: [
            { name: "green", destinations: ["green"] },
            { name: "blue", destinations: ["blue"] },
          ],
          changes: [{ before: { blue: 100 }, after: { blue: 90, green: 10 } }],
        },
      ],
    },
  ],
} as unknown as ReleasePlan;

/** Time that passes only while somebody sleeps. */
class SteppedClock implements Clock {
  #nowMs = 0;

  nowMs(): number {
    return this.#nowMs;
  }

  async sleep(durationMs: number): Promise<void> {
    if (durationMs <= 0) throw new Error("This would go round without an end.");
    this.#nowMs += durationMs;
  }
}

function green(requests: number, errors: number): CountersByDestination {
  return new Map([["green", { requests, errors }]]);
}

/** Each look gets the next of these, and the last for ever. */
async function judge(...looks: readonly (CountersByDestination | undefined)[]): Promise<Judgement | undefined> {
  let look = 0;
  const counters = async (): Promise<CountersByDestination | undefined> => {
    look += 1;
    return looks[Math.min(look, looks.length) - 1];
  };
  return runCheck({
    plan,
    check,
    sources: { counters, ask: async () => ({ verdict: "pass", detail: "yes" }) },
    onProgress: () => {},
    clock: new SteppedClock(),
    signal: new AbortController().signal,
  });
}

test("what was counted before the check does not count", async () => {
  expect(await judge(green(100, 50), green(200, 50))).toMatchObject({ verdict: "pass" });
  expect(await judge(green(100, 0), green(200, 50))).toMatchObject({ verdict: "fail" });
});

test("a proxy that starts again counts from 0", async () => {
  expect(await judge(green(100, 50), green(150, 50), green(20, 0))).toMatchObject({
    verdict: "pass",
    detail: expect.stringContaining("of 70 answers"),
  });
  expect(await judge(green(10, 5), green(12, 0))).toMatchObject({ detail: expect.stringContaining("of 12 answers") });
});

describe("a look that no proxy answers", () => {
  test("is left out, and what was counted before it does not come again", async () => {
    expect(await judge(green(100, 50), undefined, green(150, 50))).toMatchObject({
      verdict: "pass",
      detail: expect.stringContaining("of 50 answers"),
    });
  });

  test("at the beginning makes the first answer the beginning", async () => {
    expect(await judge(undefined, green(100, 50), green(150, 50))).toMatchObject({ verdict: "pass" });
  });

  test("at the end is waited for", async () => {
    expect(await judge(green(0, 0), green(50, 0), undefined, undefined, undefined, green(60, 0))).toMatchObject({
      verdict: "pass",
      detail: expect.stringContaining("of 60 answers"),
    });
  });

  test("for long leaves it to a person", async () => {
    expect(await judge(undefined)).toMatchObject({
      verdict: "unknown",
      detail: "the proxies could not be asked what they have counted",
    });
  });
});
