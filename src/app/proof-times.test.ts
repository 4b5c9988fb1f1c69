import { expect, test } from "vitest";
import { ProofTimes } from "./proof-times.ts";

test("what can wait goes on when every proof has ended, and at once where there is none", async () => {
  const times = new ProofTimes();
  await times.over();
  const first = times.open();
  using second = times.open();
  first.isUnderWay = true;
  second.isUnderWay = true;
  let isOver = false;
  const waiting = times.over().then(() => (isOver = true));
  second.isUnderWay = false;
  await Promise.resolve();
  expect(isOver).toBe(false);
  // A move that throws ends its proof too.
  first[Symbol.dispose]();
  await waiting;
  expect(isOver).toBe(true);
});
