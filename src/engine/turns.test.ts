import { expect, test } from "vitest";
import { VirtualClock } from "../../test/model/virtual-clock.ts";
import { Turns } from "./turns.ts";

test("the first begins at once, and the others with room between them", async () => {
  const clock = new VirtualClock(0);
  const begun: number[] = [];
  const sleeping: number[] = [];
  const turns = new Turns({
    sleep: async (durationMs) => {
      sleeping.push(begun.length);
      await clock.sleep(durationMs);
    },
  });
  const all = [1, 2, 3].map(async (number) => {
    await turns.next();
    begun.push(number);
  });
  await clock.settle();
  expect(begun).toEqual([1]);
  await clock.advance(0);
  await Promise.all(all);
  expect(begun).toEqual([1, 2, 3]);
  // Time was given to others after each of them.
  expect(sleeping).toHaveLength(3);
});
