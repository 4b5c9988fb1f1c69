import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { text } from "node:stream/consumers";
import { describe, expect, test, vi } from "vitest";
import { ReleaseProcess, web } from "../../test/release-process.fixture.ts";
import type { ReleaseStatus } from "../api/types.ts";
import type { ReleaseNotice } from "../core/release/describe/find-notices.ts";

/** A freeze of UTC that has begun already and lasts so long from now on. */
function freezeFor(leftMs: number): string {
  const now = new Date();
  const begunMs = now.getTime() % 60_000;
  const cron = `${now.getUTCMinutes()} ${now.getUTCHours()} ${now.getUTCDate()} ${now.getUTCMonth() + 1} *`;
  return `freezes: [{cron: "${cron}", duration: ${begunMs + leftMs}ms, reason: weekend}]`;
}

// What they wait for is time, so they wait side by side.
describe.concurrent("approvals", () => {
  test("keep their reasons over a restart, and expire", async () => {
    const first = new ReleaseProcess();
    first.start("{steps: [{approve: {people: 2, expires: 2s}}, {switch: {}}]}");
    first.releases.order("shop/r", { command: { kind: "approve" }, actor: "bob", reason: "looks good" });
    await first[Symbol.asyncDispose]();
    await using second = new ReleaseProcess(first);
    expect(second.releases.get("shop/r").approval?.given).toEqual([
      { actor: "bob", reason: "looks good", atMs: expect.any(Number), untilMs: expect.any(Number) },
    ]);
    second.releases.resume();
    await vi.waitFor(() => expect(second.releases.get("shop/r").approval?.given).toEqual([]), 10_000);
    second.order("approve", "bob");
    second.order("approve", "cyd");
    await second.until("done");
  });

  test("are not the starter's where that was agreed", async () => {
    await using process = new ReleaseProcess();
    process.start("{steps: [{approve: {starterMayApprove: false}}, {switch: {}}]}");
    expect(process.releases.get("shop/r").message).toBe("waits for 1 of 1 approvals, not of ann, who started it");
    expect(() => process.order("approve", "ann")).toThrow(
      "shop/r cannot be approved now, because ann started it, and somebody else has to approve it.",
    );
    process.order("approve", "bob");
    await process.until("done");
  });

  test("are written down beside the account that they came through", async () => {
    await using process = new ReleaseProcess();
    process.start("{steps: [{approve: {}}, {switch: {}}]}");
    process.order("approve", "bob");
    expect(eventsOf(await process.until("done"))).toMatchObject([
      { kind: "start", startedBy: "ann", account: "builder" },
      { kind: "approve", actor: "bob", account: "builder" },
      { kind: "moved" },
    ]);
  });
});

function eventsOf({ events }: ReleaseStatus): ReleaseStatus["events"] {
  return events;
}

describe.concurrent("a freeze", () => {
  test("holds a release back before its first step, and lets it go by itself", async () => {
    await using process = new ReleaseProcess();
    const begun = process.start("{steps: [{weight: 10}, {switch: {}}]}", { spec: freezeFor(2_000) });
    expect(begun).toMatchObject({ phase: "frozen", step: 1, message: "waits for the end of a freeze: weekend" });
    expect(await process.weightOfGreen(web)).toBe(0);
    const done = await process.until("done");
    expect(done.events.at(0)).toMatchObject({ kind: "start", freeze: { untilMs: begun.untilMs, reason: "weekend" } });
    expect(done.events.at(1)).toMatchObject({ kind: "timeUp" });
    expect(done.events.at(1)?.atMs).toBeGreaterThanOrEqual(begun.untilMs ?? Infinity);
  });

  test("ends while nobody runs, and the next process goes on", async () => {
    const first = new ReleaseProcess();
    first.start("{steps: [{switch: {}}]}", { spec: freezeFor(3_000) });
    await first[Symbol.asyncDispose]();
    await using second = new ReleaseProcess(first);
    expect(second.releases.get("shop/r").phase).toBe("frozen");
    second.releases.resume();
    await second.until("done");
  });

  test("leaves the way back open, and is passed with a reason that is written down", async () => {
    await using process = new ReleaseProcess();
    process.start("{steps: [{switch: {}}]}", { spec: freezeFor(600_000) });
    const despite = { kind: "promote", full: false, despiteFreeze: true } as const;
    expect(() => process.order("promote", "bob")).toThrow("because a freeze is in force");
    expect(() => process.releases.order("shop/r", { command: despite, actor: "bob" })).toThrow("needs a reason");
    process.releases.order("shop/r", { command: despite, actor: "bob", reason: "the shop is down" });
    const done = await process.until("done");
    expect(done.events).toContainEqual(
      expect.objectContaining({ kind: "promote", despiteFreeze: true, actor: "bob", reason: "the shop is down" }),
    );
    process.order("rollback", "bob");
    await process.until("rolledBack");
    expect(await process.weightOfGreen(web)).toBe(0);
  });
});

describe.concurrent("the longest time", () => {
  test("takes a release back that waits for somebody", async () => {
    await using process = new ReleaseProcess();
    process.start("{steps: [{weight: 10}, {approve: {}}, {switch: {}}]}", { spec: "maxDuration: 2s" });
    await process.until("awaiting");
    expect(process.releases.get("shop/r").limitMs).toBeGreaterThan(0);
    expect(await process.until("rolledBack")).toMatchObject({
      message: "rolled back, because it took longer than 2 s, which is the longest that it may take",
      limitMs: null,
    });
    expect(await process.weightOfGreen(web)).toBe(0);
  });

  test("runs on over a restart and a pause, and stops a release where that was agreed", async () => {
    const first = new ReleaseProcess();
    first.start("{steps: [{weight: 10}, {hold: {}}, {switch: {}}]}", {
      spec: "maxDuration: {duration: 2s, then: pause}",
    });
    await first.until("holding");
    await first[Symbol.asyncDispose]();
    await using second = new ReleaseProcess(first);
    second.releases.resume();
    expect(await second.until("paused")).toMatchObject({ message: expect.stringContaining("longer than 2 s") });
    second.order("promote", "bob");
    await second.until("done");
  });

  test("counts where only the next process could write down the start", async () => {
    const first = new ReleaseProcess(undefined, (journal) => ({
      read: () => journal.read(),
      append: (record) => {
        if (record.type === "releaseEvent") throw new Error("no space left");
        return journal.append(record);
      },
      [Symbol.dispose]: () => journal[Symbol.dispose](),
    }));
    first.start("{steps: [{hold: {}}, {switch: {}}]}", { spec: "maxDuration: 100ms" });
    await first.die();
    await using second = new ReleaseProcess(first);
    second.releases.resume();
    expect((await second.until("rolledBack")).events[0]).toMatchObject({ kind: "start", startedBy: "ann" });
  });

  test("is told again and again while the journal cannot be written", async () => {
    let isFull = false;
    await using process = new ReleaseProcess(undefined, (journal) => ({
      read: () => journal.read(),
      append: (record) => {
        if (isFull) throw new Error("no space left");
        return journal.append(record);
      },
      [Symbol.dispose]: () => journal[Symbol.dispose](),
    }));
    process.start("{steps: [{hold: {}}, {switch: {}}]}", { spec: "maxDuration: 100ms" });
    isFull = true;
    await vi.waitFor(() => expect(process.defects).not.toEqual([]), 10_000);
    isFull = false;
    process.defects.length = 0;
    await process.until("rolledBack");
  });
});

describe("notifications", () => {
  test("reach the log, and a webhook that wants them, and a dead one keeps nothing from going on", async () => {
    const bodies: ReleaseNotice[] = [];
    const receive = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
      bodies.push(JSON.parse(await text(request)));
      response.writeHead(204).end();
    };
    const server = createServer((request, response) => void receive(request, response));
    await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    if (address === null || typeof address === "string") throw new Error("Not listening.");
    await using process = new ReleaseProcess();
    const hook = `{webhook: {url: "http://127.0.0.1:${address.port}/", secret: {fromEnvironment: KEY}, events: [started, done]}}`;
    process.start("{steps: [{weight: 10}, {switch: {}}]}", {
      spec: `notifications: [{log: {}}, ${hook}, {webhook: {url: "http://127.0.0.1:1/"}}]`,
    });
    await process.until("done");
    expect(process.lines).toEqual([
      "shop/r started: started to green, 2 steps (by ann)",
      "shop/r step: step 1 of 2 is done: weight blue 90 %, green 10 %",
      "shop/r step: step 2 of 2 is done: switch everything to green",
      "shop/r done: done",
    ]);
    await vi.waitFor(() => expect(bodies.map(({ event }) => event)).toEqual(["started", "done"]));
    await new Promise((resolve) => server.close(resolve));
  });
});
