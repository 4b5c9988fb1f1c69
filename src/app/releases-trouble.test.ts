import { describe, expect, test, vi } from "vitest";
import { api, ReleaseProcess, web } from "../../test/release-process.fixture.ts";
import { KirikaeError } from "../core/diagnostics/error.ts";
import type { JournalRecord, StoredRecord } from "../engine/journal-record.ts";
import type { Journal } from "../engine/journal.ts";

const held = "{steps: [{weight: 10}, {hold: {}}, {switch: {}}]}";

describe("a manifest that is saved meanwhile", () => {
  const overruled = expect.stringMatching(
    /rule 0 \(public\) of shop\/web was given other weights by somebody else: blue 60 % and green 40 % instead of (blue 90 % and green 10|green 100) %;/u,
  );

  test("stops a release that waits, and is not overwritten", async () => {
    await using process = new ReleaseProcess();
    process.start(held);
    await process.until("holding");
    process.save(40);
    expect(await process.until("failed")).toMatchObject({ step: 2, message: overruled });
    expect(process.target.applied).toHaveLength(1);
    process.order("retry");
    expect(await process.until("failed")).toMatchObject({ step: 2, message: overruled });
  });

  test("stops one that only waits for its last hold to end, which is not done", async () => {
    await using process = new ReleaseProcess();
    process.start("{blueGreen: {bake: 1h}}");
    await process.until("holding");
    process.save(40);
    expect(await process.until("failed")).toMatchObject({ message: overruled });
  });

  test("is found by the next start", async () => {
    const first = new ReleaseProcess();
    first.start(held);
    await first.until("holding");
    await first[Symbol.asyncDispose]();
    await using second = new ReleaseProcess(first);
    second.save(40);
    second.releases.resume();
    expect(await second.until("failed")).toMatchObject({ message: overruled });
  });

  test("comes before a step that has been asked for and waits for its turn", async () => {
    await using process = new ReleaseProcess();
    const turn = Promise.withResolvers<void>();
    process.turn = turn.promise;
    process.start("{steps: [{weight: 10}]}");
    process.save(40);
    turn.resolve();
    expect(await process.until("failed")).toMatchObject({
      message: expect.stringContaining("does not have the weights that the step begins with"),
    });
    expect(process.target.applied).toEqual([]);
  });
});

describe("a way back", () => {
  test("that failed is tried again by itself", async () => {
    await using process = new ReleaseProcess();
    process.start("{blueGreen: {}}");
    await process.until("done");
    process.target.behave({ kind: "reject", message: "no such cluster" });
    process.order("rollback");
    await vi.waitFor(() => {
      const { message } = process.releases.get("shop/r");
      expect(message).toMatch(/^being rolled back; tries again, because .*no such cluster$/u);
    });
    await process.until("rolledBack");
    expect([await process.weightOfGreen(web), await process.weightOfGreen(api)]).toEqual([0, 0]);
  });

  test("does not take routes from a release that has them by now", async () => {
    await using process = new ReleaseProcess();
    process.start("{blueGreen: {}}");
    await process.until("done");
    process.start("{steps: [{hold: {}}, {weight: 50}]}", { name: "second", routes: "[{virtualService: web}]" });
    expect(() => process.order("rollback")).toThrow("shop/second is holding and has these routes");
    process.releases.order("shop/second", { command: { kind: "abort" }, actor: "ann" });
    process.order("rollback");
    await process.until("rolledBack");
  });
});

test("a release does not begin while one of its services is moved by hand", async () => {
  await using process = new ReleaseProcess();
  const moving = process.shift(20);
  expect(() => process.start(held)).toThrow("A move of shop/web has not ended");
  await moving;
  process.start(held);
  await process.until("holding");
});

test("another release is named where it is the one that moves", async () => {
  await using process = new ReleaseProcess();
  process.target.behave({ kind: "slow", durationMs: 90 });
  process.start(held);
  await vi.waitFor(() => expect(process.engine.isMoving("shop/web")).toBe(true), { interval: 5 });
  expect(() => process.start(held, { name: "second" })).toThrow("shop/r is moving weights and has these routes");
  await process.until("holding");
});

/** A disk that is full at times. */
class FullJournal implements Journal {
  isFull = false;
  /** How many records fit before it is full. */
  room = Number.POSITIVE_INFINITY;
  readonly #journal: Journal;

  constructor(journal: Journal) {
    this.#journal = journal;
  }

  append(record: JournalRecord): number {
    if (this.isFull || this.room <= 0) throw new KirikaeError("KIR2023", "The disk is full.", { exitStatus: 3 });
    this.room -= 1;
    return this.#journal.append(record);
  }

  read(): readonly StoredRecord[] {
    return this.#journal.read();
  }

  [Symbol.dispose](): void {
    this.#journal[Symbol.dispose]();
  }
}

function startOnFullDisk(): { readonly process: ReleaseProcess; readonly disk: FullJournal } {
  let disk: FullJournal | undefined;
  const process = new ReleaseProcess(undefined, (journal) => (disk = new FullJournal(journal)));
  if (disk === undefined) throw new Error("The process has no journal.");
  return { process, disk };
}

describe("a journal that cannot be written for a while", () => {
  test("holds a release up, which says so and goes on by itself", async () => {
    const { process, disk } = startOnFullDisk();
    process.start("{steps: [{weight: 10}, {hold: 200ms}, {switch: {}}]}");
    await process.until("holding");
    disk.isFull = true;
    await vi.waitFor(() =>
      expect(process.releases.get("shop/r").message).toContain("while the journal cannot be written"),
    );
    expect(() => process.order("promote")).toThrow("The disk is full.");
    disk.isFull = false;
    await process.until("done");
    expect(process.defects).toHaveLength(1);
    await process.die();
  });

  test.each([
    ["forward", { room: 2, end: "done", green: 100 }],
    ["by hand", { room: 2, end: "paused", green: 30 }],
    ["back", { room: 3, end: "rolledBack", green: 0 }],
  ] as const)("does not deny weights that went %s and are live", async (way, { room, end, green }) => {
    const { process, disk } = startOnFullDisk();
    process.start(held);
    await process.until("holding");
    // Until the weights are about to move, and not for what came of it.
    disk.room = room;
    const command = {
      forward: { kind: "promote", full: false },
      "by hand": { kind: "set", shares: 30 },
      back: { kind: "rollback" },
    } as const;
    process.releases.order("shop/r", { command: command[way], actor: "ann" });
    await vi.waitFor(() =>
      expect(process.releases.get("shop/r").message).toContain("while the journal cannot be written"),
    );
    expect(await process.weightOfGreen(web)).toBe(green);
    disk.room = Number.POSITIVE_INFINITY;
    await process.until(end);
    expect([await process.weightOfGreen(web), await process.weightOfGreen(api)]).toEqual([green, green]);
    expect(process.defects).toHaveLength(1);
    await process.die();
  });

  test("lets a release begin that is written down already", async () => {
    const { process, disk } = startOnFullDisk();
    disk.room = 0;
    expect(() => process.start(held)).toThrow("The disk is full.");
    expect(process.releases.list()).toEqual([]);
    disk.room = 1;
    expect(process.start(held)).toMatchObject({ phase: "planned" });
    disk.room = Number.POSITIVE_INFINITY;
    await process.until("holding");
    await process.die();
  });
});
