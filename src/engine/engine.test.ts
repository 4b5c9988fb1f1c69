import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { sketchTable, type RuleSketch } from "../../test/route-table.fixture.ts";
import { KirikaeError } from "../core/diagnostics/error.ts";
import type { MovePlan, MoveRequest } from "../core/release/move/move.ts";
import { planMove } from "../core/release/move/plan-move.ts";
import { reconcilePlacements } from "../core/release/move/reconcile-placements.ts";
import { splitsOf, weightsOf } from "../core/routes/weights.ts";
import { RecordingTarget } from "../targets/recording.ts";
import { createSystemClock } from "./clock.ts";
import { createEngine, type Engine } from "./engine.ts";
import { type Journal, openJournal } from "./journal.ts";
import type { MoveProgress, MoveResult } from "./report.ts";

const folder = mkdtempSync(join(tmpdir(), "kirikae-engine-"));
afterAll(() => rmSync(folder, { recursive: true }));

const rules: readonly RuleSketch[] = [
  { name: "preview", header: "x-version: green", arms: { "nginx/green": 100 }, idle: ["nginx/blue"] },
  { name: "live", arms: { "nginx/blue": 100 }, idle: ["nginx/green"] },
];
const table = sketchTable([
  { name: "ns/app", rules },
  { name: "ns/other", rules },
]);
const declared = new Map([...splitsOf(table)].map(([id, split]) => [id, weightsOf(split)]));
const clock = createSystemClock();

let journals = 0;

class Bench implements Disposable {
  readonly file: string;
  readonly journal: Journal;
  readonly target: RecordingTarget;
  readonly engine: Engine;

  constructor(file?: string, target?: RecordingTarget) {
    journals += 1;
    this.file = file ?? join(folder, `journal-${journals}.sqlite`);
    this.journal = openJournal(this.file);
    this.target = target ?? new RecordingTarget({ clock, splits: declared });
    this.engine = createEngine({ journal: this.journal, target: this.target, clock, settleMs: 1, applyTimeoutMs: 100 });
  }

  plan(verb: MoveRequest["verb"], more: Partial<MoveRequest> = {}): MovePlan {
    const to = verb === "switch" ? { green: 100 } : {};
    const request = { verb, name: "app", namespace: "ns", route: undefined, to, actor: "ann", reason: "why", ...more };
    const planning = planMove({ table, current: this.engine.placements(), request, history: this.engine.pastMoves() });
    if (planning.kind === "refused") throw planning.error;
    return planning.plan;
  }

  async move(
    plan: MovePlan,
  ): Promise<{ readonly result: MoveResult; readonly steps: readonly MoveProgress["kind"][] }> {
    const steps: MoveProgress["kind"][] = [];
    const result = await this.engine.move(plan, ({ kind }) => steps.push(kind));
    return { result, steps };
  }

  [Symbol.dispose](): void {
    this.journal[Symbol.dispose]();
  }
}

describe("a move", () => {
  test("is proved, counted, journalled and placed", async () => {
    using bench = new Bench();
    const { result, steps } = await bench.move(bench.plan("switch"));
    expect(result).toMatchObject({
      id: "m1",
      ok: true,
      outcome: "done",
      from: "blue",
      to: "green",
      message: undefined,
    });
    expect(result.ledger).toMatchObject({ failed: 0, oldAfterDone: 0, isComplete: true });
    expect(steps).toEqual(["planned", "preflight", "applying", "proved", "counting", "finished"]);
    expect(bench.journal.read().map(({ record }) => record.type)).toEqual(["intent", "outcome"]);
    expect(bench.engine.history("app")).toMatchObject([
      {
        id: "m1",
        verb: "switch",
        outcome: "done",
        actor: "ann",
        reason: "why",
        before: { blue: 100, green: 0 },
        after: { blue: 0, green: 100 },
      },
    ]);
    expect([...bench.engine.placements().keys()].toSorted()).toEqual(["ns/app/live", "ns/app/preview"]);
  });

  test("and its rollback leave nothing placed, and a third goes forward again", async () => {
    using bench = new Bench();
    await bench.move(bench.plan("switch"));
    const back = await bench.move(bench.plan("rollback"));
    expect(back.result).toMatchObject({ ok: true, from: "green", to: "blue" });
    expect(bench.engine.placements().size).toBe(0);
    const forward = await bench.move(bench.plan("rollback"));
    expect(forward.result).toMatchObject({ ok: true, from: "blue", to: "green" });
    expect(bench.engine.history().map(({ verb }) => verb)).toEqual(["switch", "rollback", "rollback"]);
  });

  test("to where traffic is already is proved all the same", async () => {
    using bench = new Bench();
    const { result } = await bench.move(bench.plan("switch", { to: { blue: 100 } }));
    expect(result).toMatchObject({ ok: true, outcome: "done" });
    expect(bench.target.applied).toHaveLength(1);
    expect(bench.engine.placements().size).toBe(0);
  });

  test("is refused before anything changes when a version is not ready", async () => {
    using bench = new Bench();
    bench.target.setPreflight({ ok: false, checks: [{ name: "green", verdict: "fail", detail: "no ready endpoint" }] });
    const { result, steps } = await bench.move(bench.plan("switch"));
    expect(result).toMatchObject({ ok: false, outcome: "refused", message: "green: no ready endpoint" });
    expect(result.id).toBe("m1");
    expect(steps).toEqual(["planned", "preflight", "finished"]);
    expect(bench.target.applied).toHaveLength(0);
    expect(bench.engine.history()).toMatchObject([{ outcome: "refused", message: "green: no ready endpoint" }]);
  });

  test("is refused before anything changes when its requests cannot be counted", async () => {
    class Uncounting extends RecordingTarget {
      override openLedger(): Promise<never> {
        return Promise.reject(new KirikaeError("KIR3006", "Not every proxy counts.", { exitStatus: 1 }));
      }
    }
    using bench = new Bench(undefined, new Uncounting({ clock, splits: declared }));
    const { result } = await bench.move(bench.plan("switch"));
    expect(result).toMatchObject({ ok: false, outcome: "refused", message: "Not every proxy counts.", ledger: null });
    expect(bench.target.applied).toHaveLength(0);
    expect(bench.engine.history()).toMatchObject([{ outcome: "refused" }]);
  });

  test.each([
    ["refused", { kind: "reject", message: "no such cluster" }, "recording refused weights: no such cluster"],
    ["late", { kind: "slow", durationMs: 500 }, "Nothing was proved in 100 ms."],
    ["partly taken", { kind: "partial" }, "Only a part of the weights was taken."],
  ] as const)("that is %s is taken back", async (_, behaviour, message) => {
    using bench = new Bench();
    bench.target.behave(behaviour);
    const { result, steps } = await bench.move(bench.plan("switch"));
    expect(result).toMatchObject({ ok: false, outcome: "restored", message });
    expect(steps).toContain("restoring");
    expect(bench.journal.read().map(({ record }) => record.type)).toEqual(["intent", "restoring", "outcome"]);
    for (const { split, weights } of await bench.target.observe([...declared.keys()])) {
      expect(weights).toEqual(declared.get(split));
    }
    expect(bench.engine.placements().size).toBe(0);
  });

  test("that cannot be taken back is stuck, and says why it began and what the way back met", async () => {
    using bench = new Bench();
    bench.target.behave({ kind: "partial" }, { kind: "reject", message: "again no" });
    const { result } = await bench.move(bench.plan("switch"));
    const message =
      "Only a part of the weights was taken; taken back, that was not proved either: recording refused weights: again no.";
    expect(result).toMatchObject({ ok: false, outcome: "stuck", message });
    expect(bench.engine.history()).toMatchObject([{ outcome: "stuck", message }]);
  });

  test("that somebody overwrites at once is not believed", async () => {
    using bench = new Bench();
    const apply = bench.target.apply.bind(bench.target);
    let applies = 0;
    bench.target.apply = async (weights, options) => {
      const report = await apply(weights, options);
      applies += 1;
      if (applies === 1) bench.target.overwrite("ns/app/live", { ...declared.get("ns/app/live") });
      return report;
    };
    const { result } = await bench.move(bench.plan("switch"));
    expect(result).toMatchObject({
      outcome: "restored",
      message: "The proxies show other weights than those after the move.",
    });
  });

  test("with failures is live but not ok", async () => {
    using bench = new Bench();
    const plan = bench.plan("switch");
    const result = await bench.engine.move(plan, ({ kind }) => {
      if (kind !== "counting") return;
      const [destination = ""] = plan.versions[0]?.destinations ?? [];
      bench.target.countRequest({
        split: "ns/app/live",
        destination,
        startedAtMs: clock.nowMs(),
        endedAtMs: clock.nowMs(),
        status: 503,
      });
    });
    expect(result).toMatchObject({ ok: false, outcome: "unproved", ledger: { requests: 1, failed: 1 } });
    expect(result.message).toMatch(/1 of 1 requests failed: 503/);
    expect(bench.engine.history()).toMatchObject([{ outcome: "unproved" }]);
    expect(bench.engine.placements().size).toBe(2);
  });

  test("does not meet another one of the same service, and does not hold up others", async () => {
    using bench = new Bench();
    bench.target.behave({ kind: "slow", durationMs: 20 });
    const plan = bench.plan("switch");
    const first = bench.engine.move(plan, () => undefined);
    await expect(bench.engine.move(plan, () => undefined)).rejects.toMatchObject({ code: "KIR2013", exitStatus: 1 });
    const other = bench.engine.move(bench.plan("switch", { name: "other" }), () => undefined);
    expect(await Promise.all([first, other])).toMatchObject([{ ok: true }, { ok: true }]);
    await bench.engine.idle();
    expect(bench.engine.placements().size).toBe(4);
  });

  test("planned before another one is refused as old", async () => {
    using bench = new Bench();
    const plan = bench.plan("switch");
    await bench.move(plan);
    await expect(bench.engine.move(plan, () => undefined)).rejects.toMatchObject({ code: "KIR2012" });
  });

  test("does not happen when it cannot be written down", async () => {
    using bench = new Bench();
    const engine = createEngine({
      journal: {
        ...bench.journal,
        read: () => [],
        append: () => {
          throw new Error("disk full");
        },
        [Symbol.dispose]() {},
      },
      target: bench.target,
      clock,
      settleMs: 1,
      applyTimeoutMs: 100,
    });
    await expect(engine.move(bench.plan("switch"), () => undefined)).rejects.toThrow("disk full");
    expect(bench.target.applied).toHaveLength(0);
    expect(engine.isMoving("ns/app")).toBe(false);
  });
});

describe("what outlives the process", () => {
  test("is the placement, with what was declared", async () => {
    using first = new Bench();
    await first.move(first.plan("shift", { to: { green: 10 } }));
    using second = new Bench(first.file, first.target);
    expect(second.engine.placed()).toMatchObject([
      { split: "ns/app/live", virtualService: "ns/app", declared: declared.get("ns/app/live") },
    ]);
    expect(second.engine.history()).toEqual(first.engine.history());
  });

  test("a manifest with other weights takes its place, and is journalled", async () => {
    using bench = new Bench();
    await bench.move(bench.plan("switch"));
    const kept = reconcilePlacements(table, bench.engine.placed());
    expect(kept).toEqual({ kept: bench.engine.placements(), overridden: [] });

    const edited = sketchTable([
      { name: "ns/app", rules: [rules[0] ?? {}, { name: "live", arms: { "nginx/blue": 50, "nginx/green": 50 } }] },
    ]);
    const { kept: left, overridden } = reconcilePlacements(edited, bench.engine.placed());
    expect(left.size).toBe(0);
    for (const override of overridden) bench.engine.recordManifest(override, "file");
    expect(bench.engine.placements().size).toBe(0);
    expect(bench.engine.history().at(-1)).toMatchObject({
      verb: "manifest",
      virtualService: "ns/app",
      reason: "The manifest declares other weights than before.",
      before: { blue: 0, green: 100 },
      after: { blue: 50, green: 50 },
    });
  });

  test("a rule that has gone takes the whole service's placement with it", async () => {
    using bench = new Bench();
    await bench.move(bench.plan("switch"));
    const edited = sketchTable([{ name: "ns/app", rules: rules.slice(1) }]);
    expect(reconcilePlacements(edited, bench.engine.placed())).toMatchObject({
      overridden: [{ virtualService: "ns/app", why: "A rule that was moved is no longer there." }],
    });
  });
});
