import { describe, expect, test, vi } from "vitest";
import { MortalJournal } from "../../test/mortal-journal.fixture.ts";
import { api, bySubset, ReleaseProcess, web } from "../../test/release-process.fixture.ts";
import type { CountersByDestination } from "../engine/release-check.ts";

test("every step moves all routes in one push, and the way back too", async () => {
  await using process = new ReleaseProcess();
  process.start("{canary: {weights: [10, 50], hold: 20ms}}");
  await process.until("done");
  expect(process.target.applied.map((weights) => [...weights.keys()].toSorted())).toEqual(
    [1, 2, 3].map(() => [api, web]),
  );
  expect(await process.weightOfGreen(web)).toBe(100);
  process.order("rollback", "bob");
  await process.until("rolledBack");
  expect(process.target.applied).toHaveLength(4);
  expect([await process.weightOfGreen(web), await process.weightOfGreen(api)]).toEqual([0, 0]);
  expect(process.engine.placements().size).toBe(0);
  expect(process.engine.history("api").at(-1)).toMatchObject({
    verb: "rollback",
    actor: "bob",
    together: ["shop/api"],
  });
});

test("a step that the proxies refuse leaves the weights before it, and can be tried again", async () => {
  await using process = new ReleaseProcess();
  process.target.behave({ kind: "obey" }, { kind: "reject", message: "no such cluster" });
  process.start("{steps: [{weight: 10}, {weight: 50}, {switch: {}}]}");
  const failed = await process.until("failed");
  expect(failed).toMatchObject({ step: 2, message: expect.stringContaining("no such cluster") });
  expect(await process.weightOfGreen(web)).toBe(10);
  process.order("retry");
  await process.until("done");
});

test("weights that somebody else changed are a conflict and not overwritten", async () => {
  await using process = new ReleaseProcess();
  process.start("{steps: [{weight: 10}, {hold: {}}, {weight: 50}]}", { routes: "[{virtualService: web}]" });
  await process.until("holding");
  expect(() => process.releases.checkFree(process.planShift(30))).toThrow(
    "belongs to the release shop/r, which is holding",
  );
  await process.shift(30);
  process.order("promote");
  expect(await process.until("failed")).toMatchObject({
    message: expect.stringContaining(
      "does not have the weights that the step begins with: blue 70 % and green 30 % instead of blue 90 % and green 10 %; retry",
    ),
  });
  expect(await process.weightOfGreen(web)).toBe(30);
});

test("another process goes on where a release was", async () => {
  const first = new ReleaseProcess();
  first.start("{steps: [{weight: 10}, {approve: {people: 2}}, {hold: 10ms}, {switch: {}}]}");
  await first.until("awaiting");
  first.order("approve", "ann");
  await first[Symbol.asyncDispose]();
  await using second = new ReleaseProcess(first);
  second.releases.resume();
  expect(() => second.order("approve", "ann")).toThrow("ann has approved already");
  second.order("approve", "bob");
  await second.until("done");
  expect(await second.weightOfGreen(api)).toBe(100);
});

test("a hold that ended while nobody ran goes on at the next start", async () => {
  const first = new ReleaseProcess();
  first.start("{steps: [{weight: 10}, {hold: 1s}, {switch: {}}]}");
  await first.until("holding");
  await first[Symbol.asyncDispose]();
  await using second = new ReleaseProcess(first);
  second.releases.resume();
  expect(await second.until("done")).toMatchObject({ step: null });
});

test("two releases do not share a route, and others go on beside each other", async () => {
  await using process = new ReleaseProcess();
  process.start("{steps: [{weight: 10}, {hold: {}}]}", { routes: "[{virtualService: web}]" });
  await process.until("holding");
  expect(() => process.start("{blueGreen: {}}", { name: "second" })).toThrow("shop/r is holding and has these routes");
  process.start("{blueGreen: {}}", { name: "second", routes: "[{virtualService: api}]" });
  await vi.waitFor(() => expect(process.releases.get("shop/second").phase).toBe("done"));
  expect(await process.weightOfGreen(web)).toBe(10);
});

test("unknown releases and commands out of place say what there is", async () => {
  await using process = new ReleaseProcess();
  expect(() => process.releases.get("shop/r")).toThrow("No release named shop/r was started.");
  process.start("{steps: [{approve: {}}]}");
  expect(() => process.order("resume")).toThrow("shop/r cannot be resumed now, because it is not paused.");
  process.order("abort");
  expect(() => process.order("approve")).toThrow("because it is over: aborted");
});

/** What the proxies have counted after a hundred requests of the new version. */
function counted(errors: number): CountersByDestination {
  return new Map([
    [bySubset("green"), { requests: 100, errors }],
    [bySubset("blue"), { requests: 900, errors: 0 }],
  ]);
}

describe("a check", () => {
  const check = "{check: {duration: 2s, minRequests: 10, successRate: {min: 99}}}";
  const strategy = `{steps: [{weight: 10}, ${check}, {switch: {}}]}`;

  test("that fails takes the release back by itself", async () => {
    await using process = new ReleaseProcess();
    process.start(strategy);
    await process.until("checking");
    process.counters = counted(20);
    expect(await process.until("rolledBack")).toMatchObject({
      message: "rolled back, because 80 % of 100 answers of the new version were good, and 99 % are asked for",
    });
    expect(await process.weightOfGreen(web)).toBe(0);
  });

  test("that passes lets the release go on", async () => {
    await using process = new ReleaseProcess();
    process.start(strategy);
    await process.until("checking");
    process.counters = counted(0);
    await process.until("done");
    expect(await process.weightOfGreen(web)).toBe(100);
  });

  test("without traffic knows nothing and asks a person", async () => {
    await using process = new ReleaseProcess();
    process.start(strategy);
    expect(await process.until("paused")).toMatchObject({ message: expect.stringContaining("only 0 of 10 requests") });
    process.order("promote");
    await process.until("done");
  });

  test("is begun anew by the next process", async () => {
    const first = new ReleaseProcess();
    first.start(strategy);
    await first.until("checking");
    await first[Symbol.asyncDispose]();
    await using second = new ReleaseProcess(first);
    second.releases.resume();
    second.counters = counted(50);
    expect(await second.until("rolledBack")).toMatchObject({ step: 2 });
  });
});

describe("a process that dies at any write of the journal", () => {
  const strategy = "{steps: [{weight: 10}, {approve: {}}, {switch: {}}]}";

  /** Gives the release what it waits for; true when it is done. */
  function drive(process: ReleaseProcess): boolean {
    const [status] = process.releases.list();
    if (status === undefined) process.start(strategy);
    else if (status.phase === "awaiting") process.order("approve");
    else if (status.phase === "failed") process.order("retry");
    return status?.phase === "done";
  }

  const writes = Array.from({ length: 9 }, (_, index) => index + 1);

  test.each(
    writes.flatMap(
      (write) =>
        [
          { write, when: "before" },
          { write, when: "after" },
        ] as const,
    ),
  )(
    "is followed by one that ends the release: write $write, $when",
    async ({ write, when }) => {
      let mortal: MortalJournal | undefined;
      const first = new ReleaseProcess(
        undefined,
        (journal) => (mortal = new MortalJournal(journal, write, when === "after")),
      );
      await vi.waitFor(() => {
        try {
          drive(first);
        } catch (error) {
          if (mortal?.isDead !== true) throw error;
        }
        if (mortal?.isDead !== true) throw new Error("It lives.");
      }, 4_000);
      await first.die();
      await using second = new ReleaseProcess(first);
      await second.engine.recover();
      second.releases.resume();
      await vi.waitFor(() => {
        if (!drive(second)) throw new Error(JSON.stringify(second.releases.list().map(({ message }) => message)));
      }, 4_000);
      expect([await second.weightOfGreen(web), await second.weightOfGreen(api)]).toEqual([100, 100]);
    },
    15_000,
  );
});
