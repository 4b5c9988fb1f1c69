import { expect, test } from "vitest";
import { RateLimit } from "./rate-limit.ts";

test("so many go at once, and the others one after the other in the order of asking", async () => {
  const limit = new RateLimit({ perSecond: 100, burst: 5 });
  const beganAtMs = performance.now();
  const done: number[] = [];
  const times = await Promise.all(
    Array.from({ length: 15 }, async (_each, index) => {
      await limit.take();
      done.push(index);
      return performance.now() - beganAtMs;
    }),
  );
  expect(done).toEqual(Array.from({ length: 15 }, (_each, index) => index));
  // A busy machine makes any of them later, and nothing makes them earlier.
  for (const [index, atMs] of times.entries()) expect(atMs).toBeGreaterThanOrEqual((index - 4) * 10 - 3);
  expect(times[4]).toBeLessThan(times[14] ?? 0);
});

test("who waits can be told to stop", async () => {
  const limit = new RateLimit({ perSecond: 0.01, burst: 1 });
  await limit.take();
  await expect(limit.take(AbortSignal.timeout(20))).rejects.toThrow("abort");
});
