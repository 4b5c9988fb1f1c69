import { expect, test } from "vitest";
import { ReconcileQueue } from "./reconcile-queue.ts";

test("works on one key once at a time, and once more for all that came meanwhile", async () => {
  const gate = Promise.withResolvers<void>();
  const worked: string[] = [];
  await using queue = new ReconcileQueue({
    async work(key) {
      worked.push(key);
      if (worked.length === 1) await gate.promise;
    },
    onFailure: (_key, error) => expect.unreachable(String(error)),
  });
  queue.add("a");
  queue.add("a");
  queue.add("a");
  queue.add("b");
  await Promise.resolve();
  gate.resolve();
  await expect.poll(() => worked).toEqual(["a", "b", "a"]);
  await queue.idle();
});

test("work that asks for its own key before it first waits is done again afterwards, and not within itself", async () => {
  const steps: string[] = [];
  await using queue: ReconcileQueue = new ReconcileQueue({
    async work(key) {
      const turn = steps.length / 2;
      steps.push(`begins ${turn}`);
      if (turn === 0) queue.add(key);
      steps.push(`ends ${turn}`);
    },
    onFailure: (_key, error) => expect.unreachable(String(error)),
  });
  queue.add("a");
  await expect.poll(() => steps).toEqual(["begins 0", "ends 0", "begins 1", "ends 1"]);
});

test("tries again what has failed, and tells of it", async () => {
  const failures: string[] = [];
  let tries = 0;
  await using queue = new ReconcileQueue({
    async work() {
      tries += 1;
      if (tries < 3) throw new Error(`try ${tries}`);
    },
    onFailure: (key, error) => failures.push(`${key}: ${String(error)}`),
    firstRetryMs: 1,
  });
  queue.add("a");
  await expect.poll(() => tries).toBe(3);
  expect(failures).toEqual(["a: Error: try 1", "a: Error: try 2"]);
});

test("an earlier time that was asked for stays, and a closed queue begins nothing", async () => {
  let tries = 0;
  const queue = new ReconcileQueue({
    async work() {
      tries += 1;
    },
    onFailure: () => {},
  });
  queue.addAfter("a", 1);
  queue.addAfter("a", 100_000);
  await expect.poll(() => tries).toBe(1);
  queue.addAfter("a", 0);
  await queue[Symbol.asyncDispose]();
  queue.add("a");
  expect(tries).toBe(1);
});
