import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { UpEvent } from "../../app-types.ts";
import { KirikaeError } from "../../core/diagnostics/error.ts";
import { keepAsking } from "./keep-asking.ts";

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

/** What is told of a question that fails like this, over so many seconds. */
async function tellOf(errors: readonly (Error | undefined)[]): Promise<readonly UpEvent[]> {
  const told: UpEvent[] = [];
  let count = 0;
  const runtime = {
    async sample() {
      const error = errors[count];
      count += 1;
      if (error !== undefined) throw error;
    },
    async askProxies() {},
    publishStatus() {},
  };
  await using asking = keepAsking(runtime, (event) => told.push(event));
  await vi.advanceTimersByTimeAsync(errors.length * 1_000);
  expect(count).toBe(errors.length);
  return told;
}

const silent = new KirikaeError("KIR4010", "port 15000 of pod edge/gateway-1 cannot be reached", { exitStatus: 3 });

test("who does not answer is told once, and again when it had answered in between", async () => {
  const warning = { kind: "warning", message: silent.message };
  expect(await tellOf([silent, silent])).toEqual([warning]);
  expect(await tellOf([silent, undefined, silent])).toEqual([warning, warning]);
});

test("a defect is told as one, with what was done, and the next question is asked", async () => {
  const defect = new TypeError("Cannot read properties of undefined (reading 'spec')");
  const message = `reading the counters of the proxies failed: ${defect.message}`;
  expect(await tellOf([defect, defect])).toEqual([{ kind: "warning", message }]);
});
