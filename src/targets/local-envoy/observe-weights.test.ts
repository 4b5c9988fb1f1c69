import { expect, test } from "vitest";
import { besideRuntime } from "./observe-weights.ts";

/** An Envoy whose runtime values change with each look, as listed; the last ones stay. */
function admin(...epochs: readonly string[]): { runtime(): Promise<ReadonlyMap<string, string>> } {
  let look = 0;
  return {
    runtime() {
      const epoch = epochs[Math.min(look, epochs.length - 1)] ?? "";
      look += 1;
      return Promise.resolve(new Map([[epoch, "100"]]));
    },
  };
}

async function lookBeside(...epochs: readonly string[]): Promise<readonly [epoch: string | undefined, asked: number]> {
  let asked = 0;
  const seen = await besideRuntime(admin(...epochs), () => {
    asked += 1;
    return Promise.resolve(asked);
  });
  expect(seen?.answer ?? asked).toBe(asked);
  return [seen?.runtime.keys().next().value, asked];
}

test("an answer counts beside the runtime values that were in force before and after it", async () => {
  expect(await lookBeside("e1")).toEqual(["e1", 1]);
  expect(await lookBeside("e1", "e2")).toEqual(["e2", 2]);
  expect(await lookBeside("e1", "e2", "e3", "e3")).toEqual(["e3", 3]);
});

test("where the values never stand still there is no answer, and the asking ends", async () => {
  const [epoch, asked] = await lookBeside(...Array.from({ length: 100 }, (_, index) => `e${index}`));
  expect(epoch).toBeUndefined();
  expect(asked).toBeLessThan(50);
});
