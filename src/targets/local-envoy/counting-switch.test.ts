import { setImmediate as nextTurn } from "node:timers/promises";
import { expect, test } from "vitest";
import { CountingSwitch } from "./counting-switch.ts";

/** Steps that take a few turns of the event loop each, and what they have done. */
function record(refuse: () => boolean = () => false) {
  const steps: string[] = [];
  const run = async (name: string) => {
    steps.push(`${name}...`);
    for (let turn = 0; turn < 3; turn += 1) await nextTurn();
    steps.push(name);
  };
  const counting = new CountingSwitch({
    async turnOn() {
      await run("on");
      if (refuse()) throw new Error("not proved");
    },
    async turnOff() {
      await run("off");
      return true;
    },
  });
  return { counting, steps };
}

test("holders that overlap turn it on once and off once, and each has it on from the start", async () => {
  const { counting, steps } = record();
  const acquire = async () => {
    await counting.acquire();
    expect(steps).toEqual(["on...", "on"]);
  };
  await Promise.all([acquire(), acquire(), acquire()]);
  expect(await counting.release()).toBeUndefined();
  expect(await Promise.all([counting.release(), counting.release()])).toEqual([undefined, true]);
  expect(steps).toEqual(["on...", "on", "off...", "off"]);
});

test("who comes while the last leaves waits, and has it on again", async () => {
  const { counting, steps } = record();
  await counting.acquire();
  const leaving = counting.release();
  await nextTurn();
  expect(steps.at(-1)).toBe("off...");
  await counting.acquire();
  expect(steps).toEqual(["on...", "on", "off...", "off", "on...", "on"]);
  expect(await leaving).toBe(true);
  expect(await counting.release()).toBe(true);
});

test("an attempt that fails is no holder, and the one that waited for it tries itself", async () => {
  let attempts = 0;
  const { counting, steps } = record(() => (attempts += 1) === 1);
  const [first, second] = await Promise.allSettled([counting.acquire(), counting.acquire()]);
  expect([first.status, second.status]).toEqual(["rejected", "fulfilled"]);
  expect(await counting.release()).toBe(true);
  expect(steps.filter((step) => step === "off")).toHaveLength(1);
});
