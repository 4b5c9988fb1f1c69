import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { sketchTable, type RuleSketch } from "../../test/route-table.fixture.ts";
import type { MovePlan, MoveRequest } from "../core/release/move/move.ts";
import { planMove } from "../core/release/move/plan-move.ts";
import { splitsOf, weightsOf } from "../core/routes/weights.ts";
import { RecordingTarget } from "../targets/recording.ts";
import { createSystemClock } from "./clock.ts";
import { createEngine, type Engine, type EngineOptions } from "./engine.ts";
import type { JournalRecord, StoredRecord } from "./journal-record.ts";
import { type Journal, openJournal } from "./journal.ts";

const folder = mkdtempSync(join(tmpdir(), "kirikae-broken-"));
afterAll(() => rmSync(folder, { recursive: true }));

const rules: readonly RuleSketch[] = [
  { name: "preview", header: "x-version: green", arms: { "nginx/green": 100 }, idle: ["nginx/blue"] },
  { name: "live", arms: { "nginx/blue": 100 }, idle: ["nginx/green"] },
];
const table = sketchTable([{ name: "ns/app", rules }]);
const declared = new Map([...splitsOf(table)].map(([id, split]) => [id, weightsOf(split)]));
const clock = createSystemClock();

/** A real journal whose disk is full from a given write on, until it has room again. */
class FullDiskJournal implements Journal {
  readonly #journal: Journal;
  #writesLeft: number;

  constructor(journal: Journal, writesLeft: number) {
    this.#journal = journal;
    this.#writesLeft = writesLeft;
  }

  makeRoom(writes = Number.POSITIVE_INFINITY): void {
    this.#writesLeft = writes;
  }

  append(record: JournalRecord): number {
    if (this.#writesLeft === 0) throw new Error("database or disk is full");
    this.#writesLeft -= 1;
    return this.#journal.append(record);
  }

  read(): readonly StoredRecord[] {
    return this.#journal.read();
  }

  [Symbol.dispose](): void {
    this.#journal[Symbol.dispose]();
  }
}

let journals = 0;

class Bench implements Disposable {
  readonly journal: FullDiskJournal;
  readonly target = new RecordingTarget({ clock, splits: declared });
  readonly engine: Engine;

  constructor(writes: number, more: Partial<EngineOptions> = {}) {
    journals += 1;
    this.journal = new FullDiskJournal(openJournal(join(folder, `journal-${journals}.sqlite`)), writes);
    this.engine = this.restart(more);
  }

  restart(more: Partial<EngineOptions> = {}): Engine {
    const { journal, target } = this;
    return createEngine({ journal, target, clock, settleMs: 1, applyTimeoutMs: 100, ...more });
  }

  plan(to: MoveRequest["to"], verb: MoveRequest["verb"] = "switch"): MovePlan {
    const request = { verb, name: "app", namespace: "ns", route: undefined, to, actor: "ann", reason: undefined };
    const planning = planMove({ table, current: this.engine.placements(), request, history: this.engine.pastMoves() });
    if (planning.kind === "refused") throw planning.error;
    return planning.plan;
  }

  async expectLive(color: "blue" | "green"): Promise<void> {
    const [live] = await this.target.observe(["ns/app/live"]);
    const shares = Object.entries(live?.weights ?? {}).filter(([, weight]) => weight > 0);
    expect(shares).toEqual([[expect.stringContaining(color), 100]]);
    expect(this.engine.placements().size).toBe(color === "green" ? 2 : 0);
    expect(this.engine.unfinished()).toEqual([]);
    expect(this.restart().history()).toEqual(this.engine.history());
  }

  outcomes(): readonly string[] {
    return this.engine.history().map(({ verb, outcome }) => `${verb} ${outcome}`);
  }

  [Symbol.dispose](): void {
    this.journal[Symbol.dispose]();
  }
}

describe("a move that the journal cannot follow", () => {
  test("is ended by the next one, when its weights were live", async () => {
    using bench = new Bench(1);
    await expect(bench.engine.move(bench.plan({ green: 100 }), () => undefined)).rejects.toThrow("disk is full");
    expect(bench.engine.isMoving("ns/app")).toBe(false);
    bench.journal.makeRoom();
    // The old plan starts from weights that are no longer live.
    await expect(bench.engine.move(bench.plan({ green: 100 }), () => undefined)).rejects.toMatchObject({
      code: "KIR2012",
    });
    expect(bench.outcomes()).toEqual(["switch unproved", "recovery unproved"]);
    expect(bench.engine.history().at(-1)?.message).toMatch(/^The journal could not be written during the move\./u);
    await bench.expectLive("green");
    expect(await bench.engine.move(bench.plan({}, "rollback"), () => undefined)).toMatchObject({ ok: true });
    await bench.expectLive("blue");
  });

  test("is taken back by the next one, when it was half-way", async () => {
    using bench = new Bench(1);
    bench.target.behave({ kind: "partial" });
    await expect(bench.engine.move(bench.plan({ green: 100 }), () => undefined)).rejects.toThrow("disk is full");
    bench.journal.makeRoom();
    expect(await bench.engine.move(bench.plan({ green: 100 }), () => undefined)).toMatchObject({ ok: true });
    expect(bench.outcomes()).toEqual(["switch restored", "recovery restored", "switch done"]);
    await bench.expectLive("green");
  });

  test("keeps others out with a code of its own while the disk is full, and changes nothing", async () => {
    using bench = new Bench(1);
    bench.target.behave({ kind: "partial" });
    const plan = bench.plan({ green: 100 });
    await expect(bench.engine.move(plan, () => undefined)).rejects.toThrow("disk is full");
    const { length } = bench.target.applied;
    for (let attempt = 0; attempt < 2; attempt += 1) {
      await expect(bench.engine.move(plan, () => undefined)).rejects.toMatchObject({
        code: "KIR2024",
        exitStatus: 3,
        message: "m1 of ns/app broke off and cannot be ended: database or disk is full",
      });
    }
    await expect(bench.engine.recover()).rejects.toMatchObject({ code: "KIR2024" });
    expect(bench.target.applied).toHaveLength(length);
    // Room for the word that it is being taken back, and for no more: the weights go back, and it still has no end.
    bench.journal.makeRoom(1);
    await expect(bench.engine.move(plan, () => undefined)).rejects.toMatchObject({ code: "KIR2024" });
    bench.journal.makeRoom();
    expect(await bench.engine.recover()).toMatchObject([{ outcome: "restored", found: "before" }]);
    await bench.expectLive("blue");
  });

  test("is not recovered twice, nor while it runs", async () => {
    using bench = new Bench(Number.POSITIVE_INFINITY);
    bench.target.behave({ kind: "slow", durationMs: 20 });
    const moving = bench.engine.move(bench.plan({ green: 100 }), () => undefined);
    expect(await bench.engine.recover()).toEqual([]);
    expect(await moving).toMatchObject({ ok: true });
    expect(bench.outcomes()).toEqual(["switch done"]);
  });
});

describe("a move whose rules are gone from the manifests", () => {
  test("has nothing to put right, and nobody claims to have asked", async () => {
    using bench = new Bench(1);
    await expect(bench.engine.move(bench.plan({ green: 100 }), () => undefined)).rejects.toThrow("disk is full");
    bench.journal.makeRoom();
    const next = bench.restart();
    expect(await next.recover(() => false)).toMatchObject([
      {
        outcome: "restored",
        found: "gone",
        message:
          "kirikae died during the move. The manifests no longer have the rules that it moved. There was nothing to put back.",
      },
    ]);
    expect(next.placements().size).toBe(0);
  });

  test("leaves weights only on the rules that are left", async () => {
    using bench = new Bench(1);
    await expect(bench.engine.move(bench.plan({ green: 100 }), () => undefined)).rejects.toThrow("disk is full");
    bench.journal.makeRoom();
    const next = bench.restart();
    expect(await next.recover((split) => split === "ns/app/live")).toMatchObject([{ outcome: "completed" }]);
    expect([...next.placements().keys()]).toEqual(["ns/app/live"]);
    expect([...bench.restart().placements().keys()]).toEqual(["ns/app/live"]);
  });
});

test("a listener that throws does not disturb the move, and is reported once", async () => {
  const defects: unknown[] = [];
  using bench = new Bench(Number.POSITIVE_INFINITY, { onDefect: (error) => defects.push(error) });
  const steps: string[] = [];
  const result = await bench.engine.move(bench.plan({ green: 100 }), ({ kind }) => {
    steps.push(kind);
    throw new Error(`no ear for ${kind}`);
  });
  expect(result).toMatchObject({ ok: true, outcome: "done" });
  expect(steps).toEqual(["planned", "preflight", "applying", "proved", "counting", "finished"]);
  expect(defects).toEqual([new Error("no ear for planned")]);
  await bench.expectLive("green");
});
