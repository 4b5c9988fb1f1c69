import { describe, expect, test, vi } from "vitest";
import { api, bySubset, ReleaseProcess, web } from "../../test/release-process.fixture.ts";
import { describeEvent } from "../core/release/describe/describe-event.ts";
import type { ReleaseCommand } from "../core/release/state/release-state.ts";

const held = "{steps: [{weight: 10}, {hold: {}}, {weight: 50}, {hold: {}}, {switch: {}}]}";
const alone = { routes: "[{virtualService: web}]" };

function tell(process: ReleaseProcess, command: ReleaseCommand, actor = "ann"): void {
  process.releases.order("shop/r", { command, actor });
}

async function untilMessage(process: ReleaseProcess, text: string): Promise<void> {
  await vi.waitFor(() => expect(process.releases.get("shop/r").message).toContain(text), 4_000);
}

async function greens(process: ReleaseProcess): Promise<readonly number[]> {
  return [await process.weightOfGreen(web), await process.weightOfGreen(api)];
}

describe("the undo of a way back", () => {
  test("brings exactly the weights that were live, any number of times, and the release goes on from there", async () => {
    await using process = new ReleaseProcess();
    process.start(held);
    await process.until("holding");
    for (let round = 0; round < 3; round += 1) {
      tell(process, { kind: "rollback" }, "bob");
      await process.until("rolledBack");
      expect(await greens(process)).toEqual([0, 0]);
      tell(process, { kind: "rollback" }, "bob");
      expect(await process.until("paused")).toMatchObject({
        step: 2,
        message: expect.stringContaining("brought back by bob"),
      });
      expect(await greens(process)).toEqual([10, 10]);
    }
    const rollbacks = process.releases.get("shop/r").events.filter(({ kind }) => kind === "rollback");
    expect(rollbacks.map((event) => describeEvent(event).split(" by ")[0])).toEqual(
      [1, 2, 3].flatMap(() => ["rolled back", "brought back"]),
    );
    process.order("promote");
    await vi.waitFor(() => expect(process.releases.get("shop/r")).toMatchObject({ phase: "holding", step: 4 }));
    expect(await greens(process)).toEqual([50, 50]);
    tell(process, { kind: "promote", full: true });
    await process.until("done");
    expect(await greens(process)).toEqual([100, 100]);
  });

  test("of a release that was done leaves it done", async () => {
    await using process = new ReleaseProcess();
    process.start("{blueGreen: {}}");
    await process.until("done");
    for (let round = 0; round < 2; round += 1) {
      process.order("rollback");
      await process.until("rolledBack");
      process.order("rollback");
      await process.until("done");
      expect(await greens(process)).toEqual([100, 100]);
    }
  });

  test("goes on in the next process, and is found as expected there", async () => {
    const first = new ReleaseProcess();
    first.start(held);
    await first.until("holding");
    tell(first, { kind: "rollback" });
    await first.until("rolledBack");
    tell(first, { kind: "rollback" });
    await first.until("paused");
    await first[Symbol.asyncDispose]();
    await using second = new ReleaseProcess(first);
    second.releases.resume();
    second.order("promote");
    await vi.waitFor(() => expect(second.releases.get("shop/r")).toMatchObject({ phase: "holding", step: 4 }));
  });

  test("that the proxies refuse leaves it rolled back, which says why", async () => {
    await using process = new ReleaseProcess();
    process.start("{blueGreen: {}}");
    await process.until("done");
    process.order("rollback");
    await process.until("rolledBack");
    process.target.behave({ kind: "reject", message: "no such cluster" });
    process.order("rollback");
    await untilMessage(
      process,
      "was not brought back to where it was: restored: recording refused weights: no such cluster",
    );
    process.order("rollback");
    await process.until("done");
    expect(await greens(process)).toEqual([100, 100]);
  });
});

describe("what others have changed since is not overwritten", () => {
  test("by a rollback after the end", async () => {
    await using process = new ReleaseProcess();
    process.start("{blueGreen: {}}", alone);
    await process.until("done");
    await process.shift(30);
    expect(() => process.order("rollback")).toThrow(
      "rule 0 (public) of shop/web went from green 100 % to blue 70 % and green 30 % since shop/r left it",
    );
    expect(await process.weightOfGreen(web)).toBe(30);
    tell(process, { kind: "rollback", despiteChanges: true });
    await process.until("rolledBack");
    expect(await process.weightOfGreen(web)).toBe(0);
    // What was overwritten is what an undo brings back.
    tell(process, { kind: "rollback" });
    await process.until("done");
    expect(await process.weightOfGreen(web)).toBe(30);
  });

  test("by a rollback over a saved manifest, nor by the undo of one", async () => {
    await using process = new ReleaseProcess();
    process.start("{blueGreen: {}}", alone);
    await process.until("done");
    process.save(40);
    expect(() => process.order("rollback")).toThrow("to blue 60 % and green 40 %");
    tell(process, { kind: "rollback", despiteChanges: true });
    await process.until("rolledBack");
    await process.shift(20);
    expect(() => process.order("rollback")).toThrow("went from blue 100 % to blue 80 % and green 20 %");
  });

  test("by a rollback after another release of the same rules", async () => {
    await using process = new ReleaseProcess();
    process.start("{steps: [{weight: 10}]}", alone);
    await process.until("done");
    process.start("{steps: [{weight: 60}]}", { ...alone, name: "second" });
    await vi.waitFor(() => expect(process.releases.get("shop/second").phase).toBe("done"));
    expect(() => process.order("rollback")).toThrow("went from blue 90 % and green 10 % to blue 40 % and green 60 %");
    process.releases.order("shop/second", { command: { kind: "rollback" }, actor: "ann" });
    await vi.waitFor(() => expect(process.releases.get("shop/second").phase).toBe("rolledBack"));
    process.order("rollback");
    await process.until("rolledBack");
  });

  test("by the next part of a way back that waits", async () => {
    await using process = new ReleaseProcess();
    process.ready = { blue: 4 };
    process.start("{blueGreen: {}}", alone);
    await process.until("done");
    process.ready = { blue: 2 };
    process.order("rollback");
    await untilMessage(process, "so 50 % is back");
    process.save(70);
    process.ready = { blue: 4 };
    await untilMessage(process, "to blue 30 % and green 70 %");
    expect(await process.weightOfGreen(web)).toBe(50);
  });
});

test("a way back that waits can be ended at any moment, and nothing is written or told of it after that", async () => {
  await using process = new ReleaseProcess();
  process.ready = { blue: 4 };
  process.start("{blueGreen: {}}", alone);
  await process.until("done");
  process.ready = { blue: 2 };
  process.order("rollback");
  await untilMessage(process, "so 50 % is back");
  const looked = Promise.withResolvers<void>();
  process.look = async () => {
    process.look = async () => {};
    process.order("abort");
    process.ready = { blue: 3 };
    looked.resolve();
  };
  await looked.promise;
  await process.die();
  const { phase, events } = process.releases.get("shop/r");
  expect(phase).toBe("aborted");
  expect(events.at(-1)).toMatchObject({ kind: "abort" });
  expect(process.defects).toEqual([]);
});

describe("weights by hand", () => {
  test("are set up and down, and the next step goes on from what is live", async () => {
    await using process = new ReleaseProcess();
    process.start(held);
    await process.until("holding");
    tell(process, { kind: "set", shares: 30 }, "bob");
    expect(await process.until("paused")).toMatchObject({
      step: 2,
      message: expect.stringContaining("30 % set by bob"),
    });
    expect(await greens(process)).toEqual([30, 30]);
    tell(process, { kind: "set", shares: { green: 5, blue: 95 } });
    await vi.waitFor(() => expect(process.releases.get("shop/r").message).toContain("green 5 %, blue 95 % set by ann"));
    expect(await greens(process)).toEqual([5, 5]);
    process.order("resume");
    await process.until("holding");
    process.order("promote");
    await vi.waitFor(() => expect(process.releases.get("shop/r")).toMatchObject({ phase: "holding", step: 4 }));
    expect(await greens(process)).toEqual([50, 50]);
    process.order("rollback");
    await process.until("rolledBack");
    expect(await greens(process)).toEqual([0, 0]);
    process.order("rollback");
    await process.until("paused");
    expect(await greens(process)).toEqual([50, 50]);
  });

  test("of everything lead on to the switch, which then changes nothing but the testers' rule", async () => {
    await using process = new ReleaseProcess();
    process.start("{steps: [{weight: 10}, {hold: {}}, {switch: {}}]}");
    await process.until("holding");
    tell(process, { kind: "set", shares: 100 });
    await process.until("paused");
    process.order("promote");
    await process.until("done");
    expect(await greens(process)).toEqual([100, 100]);
  });

  test("go back with the release, also where no step has moved anything yet", async () => {
    await using process = new ReleaseProcess();
    process.start("{steps: [{approve: {}}, {switch: {}}]}");
    await process.until("awaiting");
    tell(process, { kind: "set", shares: 20 });
    await process.until("paused");
    process.order("rollback");
    await process.until("rolledBack");
    expect(await greens(process)).toEqual([0, 0]);
  });

  test("that were not proved and may be live all the same go back with the release too", async () => {
    await using process = new ReleaseProcess();
    process.start("{steps: [{approve: {}}, {switch: {}}]}");
    await process.until("awaiting");
    process.target.behave({ kind: "partial" }, { kind: "reject", message: "gone" });
    tell(process, { kind: "set", shares: 20 });
    expect(await process.until("paused")).toMatchObject({ message: expect.stringContaining("stuck") });
    expect(await greens(process)).toEqual([20, 0]);
    process.order("rollback");
    await process.until("rolledBack");
    expect(await greens(process)).toEqual([0, 0]);
  });

  test("are refused where they make no sense, and nothing is written down", async () => {
    await using process = new ReleaseProcess();
    process.start(held);
    await process.until("holding");
    const { events } = process.releases.get("shop/r");
    expect(() => tell(process, { kind: "set", shares: { red: 5 } })).toThrow("red");
    expect(() => tell(process, { kind: "set", shares: { green: 60, blue: 60 } })).toThrow("add up to 120 %");
    expect(process.releases.get("shop/r").events).toEqual(events);
    process.order("abort");
    expect(() => tell(process, { kind: "set", shares: 5 })).toThrow("it is over: aborted");
  });

  test("that the proxies refuse leave the release paused with the weights before", async () => {
    await using process = new ReleaseProcess();
    process.start(held);
    await process.until("holding");
    process.target.behave({ kind: "reject", message: "no such cluster" });
    tell(process, { kind: "set", shares: 30 });
    expect(await process.until("paused")).toMatchObject({
      message: expect.stringContaining("the weights of ann were not set: restored: recording refused weights"),
    });
    expect(await greens(process)).toEqual([10, 10]);
    process.order("promote");
    await vi.waitFor(() => expect(process.releases.get("shop/r")).toMatchObject({ phase: "holding", step: 4 }));
  });

  test("that somebody else changes are a conflict as those of a step are", async () => {
    await using process = new ReleaseProcess();
    process.start(held, alone);
    await process.until("holding");
    tell(process, { kind: "set", shares: 30 });
    await process.until("paused");
    process.save(40);
    expect(await process.until("failed")).toMatchObject({
      message: expect.stringContaining("was given other weights by somebody else"),
    });
  });
});

async function done(process: ReleaseProcess): Promise<void> {
  process.ready = { blue: 4, green: 4 };
  process.start("{blueGreen: {}}");
  await process.until("done");
}

describe("a way back to a version that has fewer endpoints", () => {
  test("goes in parts, as endpoints come, and tells what is missing", async () => {
    await using process = new ReleaseProcess();
    await done(process);
    process.ready = { blue: 0, green: 4 };
    process.order("rollback");
    await untilMessage(process, "0 of 4 endpoints of blue are ready, so nothing is back; the rest STAYS on green");
    expect(process.target.applied).toHaveLength(1);
    process.ready = { blue: 1, green: 4 };
    await untilMessage(process, "1 of 4 endpoints of blue are ready, so 25 % is back");
    expect(await greens(process)).toEqual([75, 75]);
    process.ready = { blue: 3, green: 4 };
    await untilMessage(process, "3 of 4 endpoints of blue are ready, so 75 % is back");
    expect(await greens(process)).toEqual([25, 25]);
    // What goes on the way back never comes forward again.
    process.ready = { blue: 2, green: 4 };
    await untilMessage(process, "2 of 4 endpoints of blue are ready, so 75 % is back");
    process.ready = { blue: 4, green: 4 };
    await process.until("rolledBack");
    expect(await greens(process)).toEqual([0, 0]);
    process.order("rollback");
    await process.until("done");
    expect(await greens(process)).toEqual([100, 100]);
  });

  test("does not wait where all that it had is ready", async () => {
    await using process = new ReleaseProcess();
    await done(process);
    process.order("rollback");
    await process.until("rolledBack");
    expect(process.target.applied).toHaveLength(2);
  });

  test("goes at once when somebody wants it now, also while it waits", async () => {
    await using process = new ReleaseProcess();
    await done(process);
    process.ready = { blue: 0, green: 4 };
    process.order("rollback");
    await untilMessage(process, "nothing is back");
    tell(process, { kind: "rollback", now: true });
    await process.until("rolledBack");
    expect(await greens(process)).toEqual([0, 0]);
  });

  test("takes no notice of capacity where the Release says so, and still waits for the first endpoint", async () => {
    await using process = new ReleaseProcess();
    process.ready = { blue: 4, green: 4 };
    process.start("{blueGreen: {}}, wayBack: {capacity: ignore}");
    await process.until("done");
    process.ready = { blue: 0, green: 4 };
    process.order("rollback");
    await untilMessage(process, "0 endpoints of blue are ready, so nothing is back");
    process.ready = { blue: 1, green: 4 };
    await process.until("rolledBack");
    expect(process.target.applied).toHaveLength(2);
  });

  test("does not leave traffic on a version that has nobody either", async () => {
    await using process = new ReleaseProcess();
    await done(process);
    process.ready = { blue: 1, green: 0 };
    process.order("rollback");
    await process.until("rolledBack");
    expect(await greens(process)).toEqual([0, 0]);
  });

  test("can be aborted while it waits, and goes on in the next process otherwise", async () => {
    const first = new ReleaseProcess();
    await done(first);
    first.ready = { blue: 2, green: 4 };
    first.order("rollback");
    await untilMessage(first, "50 % is back");
    await first[Symbol.asyncDispose]();
    await using second = new ReleaseProcess(first);
    second.ready = { blue: 3, green: 4 };
    second.releases.resume();
    await untilMessage(second, "75 % is back");
    second.order("abort");
    expect(await greens(second)).toEqual([25, 25]);
    second.ready = { blue: 4, green: 4 };
    second.order("rollback");
    await second.until("rolledBack");
    second.order("rollback");
    await second.until("done");
    expect(await greens(second)).toEqual([100, 100]);
  });

  test("is the same where a judge wants it", async () => {
    await using process = new ReleaseProcess();
    process.ready = { blue: 4, green: 4 };
    process.start(
      "{steps: [{weight: 50}, {check: {duration: 30s, minRequests: 10, successRate: {min: 99}}}, {switch: {}}]}",
    );
    await process.until("checking");
    process.ready = { blue: 3, green: 4 };
    process.counters = new Map([
      [bySubset("green"), { requests: 100, errors: 50 }],
      [bySubset("blue"), { requests: 100, errors: 0 }],
    ]);
    await untilMessage(process, "3 of 4 endpoints of blue are ready, so 75 % is back");
    expect(await greens(process)).toEqual([25, 25]);
    process.ready = { blue: 4, green: 4 };
    await process.until("rolledBack");
  });
});
