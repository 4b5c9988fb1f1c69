import { expect, test } from "vitest";
import type { CountersByDestination } from "../engine/release-check.ts";
import type { CounterReading } from "../engine/traffic-meter.ts";
import { CounterLooks } from "./counter-looks.ts";

const counters: CountersByDestination = new Map();

interface Bench {
  readonly looks: CounterLooks;
  readonly readings: CounterReading[];
  asked: number;
  process: string | undefined;
}

function bench(stats: () => Promise<CountersByDestination | undefined>): Bench {
  let nowMs = 0;
  const made: Bench = {
    readings: [],
    asked: 0,
    process: "1",
    looks: new CounterLooks({
      stats: () => {
        made.asked += 1;
        return stats();
      },
      processes: () => made.process,
      onReading: (reading) => made.readings.push(reading),
      nowMs: () => (nowMs += 1),
    }),
  };
  return made;
}

test("those who ask at the same time share a look", async () => {
  const made = bench(async () => counters);
  expect(await Promise.all([made.looks.look(), made.looks.look()])).toEqual([counters, counters]);
  expect(made).toMatchObject({ asked: 1, readings: [{ askedMs: 1, answeredMs: 2, proxies: "1", counters }] });
  await made.looks.look();
  expect(made.asked).toBe(2);
});

test("a reading is of the middle between the question and its answer", async () => {
  const made = bench(async () => counters);
  // Asked at 1; the look itself reads the clock at 2 and 3, and the answer is there at 4.
  expect(await made.looks.read()).toEqual({ atMs: 3, counters });
  expect(await bench(async () => undefined).looks.read()).toBe(undefined);
});

test("those who want to know what is counted by now share the look after the one that is under way", async () => {
  const made = bench(async () => counters);
  await Promise.all([made.looks.look(), made.looks.lookSoon(), made.looks.lookSoon()]);
  expect(made).toMatchObject({ asked: 2, readings: [{ answeredMs: 2 }, { askedMs: 3, answeredMs: 4 }] });
  await made.looks.lookSoon();
  expect(made.asked).toBe(3);
});

test("a look that nobody answers is none, and keeps nobody waiting", async () => {
  const silent = bench(() => new Promise(() => {}));
  await silent.looks.lookSoon();
  expect(silent.readings).toEqual([]);
  const failing = bench(async () => Promise.reject(new Error("no proxy")));
  await failing.looks.lookSoon();
  await expect(failing.looks.look()).rejects.toThrow("no proxy");
  expect(failing.asked).toBe(2);
});

test("what a proxy says that began again meanwhile is not counted", async () => {
  const made = bench(async () => {
    made.process = "2";
    return counters;
  });
  expect(await made.looks.look()).toBe(counters);
  expect(made.readings).toEqual([]);
});
