import { expect, test } from "vitest";
import { ModelJournal } from "../../test/model/model-journal.ts";
import { sketchTable } from "../../test/route-table.fixture.ts";
import type { MovePlan } from "../core/release/move/move.ts";
import { planMove } from "../core/release/move/plan-move.ts";
import { splitsOf, weightsOf } from "../core/routes/weights.ts";
import { RecordingTarget, type RecordingOptions } from "../targets/recording.ts";
import { createSystemClock } from "./clock.ts";
import { createEngine, type Engine, type EngineOptions } from "./engine.ts";
import type { MoveProgress, MoveResult } from "./report.ts";

const table = sketchTable([{ name: "ns/app", rules: [{ arms: { "nginx/blue": 100 }, idle: ["nginx/green"] }] }]);
const splits = new Map([...splitsOf(table)].map(([id, split]) => [id, weightsOf(split)]));
const [split = ""] = splits.keys();
const clock = createSystemClock();
const missing = "1 of 2 proxies confirmed; gateway-7f9 unreachable";

function bench(
  target: Partial<RecordingOptions> = {},
  options: Partial<EngineOptions> = {},
): { readonly target: RecordingTarget; readonly engine: Engine } {
  const recording = new RecordingTarget({ clock, splits, ...target });
  const journal = new ModelJournal();
  const engine = createEngine({ journal, target: recording, clock, settleMs: 1, applyTimeoutMs: 10, ...options });
  return { target: recording, engine };
}

function planSwitch(more: Partial<MovePlan> = {}): MovePlan {
  const request = { verb: "switch", name: "app", namespace: "ns", route: undefined, to: { green: 100 } } as const;
  const planning = planMove({ table, current: new Map(), request: { ...request, actor: "ann", reason: undefined } });
  if (planning.kind === "refused") throw planning.error;
  return { ...planning.plan, ...more };
}

async function move(
  engine: Engine,
  plan: MovePlan,
): Promise<{ readonly result: MoveResult; readonly waited: readonly string[] }> {
  const progress: MoveProgress[] = [];
  const result = await engine.move(plan, (one) => progress.push(one));
  return { result, waited: progress.flatMap((one) => (one.kind === "waiting" ? [one.text] : [])) };
}

test("a move whose requests cannot be counted is done, and says so", async () => {
  const { engine } = bench({ counts: false, name: "site prod" });
  const { result } = await move(engine, planSwitch());
  expect(result).toMatchObject({ ok: true, outcome: "done", ledger: null });
  expect(result.message).toBe("requests were not counted, because site prod gives no counts");
  expect(engine.history()).toMatchObject([{ outcome: "done", message: result.message }]);
});

test("a move says why its requests could not be counted, where its target knows", async () => {
  const { engine } = bench({ counts: "gateway-7f9 keeps no counters" });
  const { result } = await move(engine, planSwitch());
  expect(result.message).toBe("requests were not counted, because gateway-7f9 keeps no counters");
});

test("a move waits for a proxy that is unreachable, names it meanwhile and is taken back without it", async () => {
  const { engine, target } = bench();
  target.behave({ kind: "unreachable", proxy: "gateway-7f9" });
  const { result, waited } = await move(engine, planSwitch());
  expect(waited).toEqual([missing]);
  expect(result).toMatchObject({ ok: false, outcome: "restored", message: missing });
});

test("a move goes on without a proxy where its plan says so, and names what was not confirmed", async () => {
  const { engine, target } = bench();
  target.behave({ kind: "unreachable", proxy: "gateway-7f9" });
  const { result } = await move(engine, planSwitch({ proof: { unreachable: "goOn", timeoutMs: undefined } }));
  expect(result).toMatchObject({ ok: true, outcome: "done", message: missing });
});

test("a plan says how long its proxies may take", async () => {
  const { engine, target } = bench();
  target.behave({ kind: "slow", durationMs: 60 });
  const { result } = await move(engine, planSwitch({ proof: { unreachable: "wait", timeoutMs: 5_000 } }));
  expect(result).toMatchObject({ ok: true, outcome: "done" });
});

test("what is live goes before what the journal says, where something else says it", async () => {
  let live = { ...splits.get(split) };
  const { engine } = bench({}, { liveWeights: (id) => (id === split ? live : undefined) });
  const plan = planSwitch();
  await move(engine, plan);
  // Somebody puts it back, of which the journal knows nothing.
  expect(await move(engine, plan)).toMatchObject({ result: { outcome: "done" } });
  live = Object.fromEntries(Object.keys(live).map((id, index) => [id, index === 0 ? 70 : 30]));
  await expect(move(engine, plan)).rejects.toMatchObject({ code: "KIR2012" });
});

test("a move that changed nothing is refused, and takes nothing back", async () => {
  const { engine, target } = bench();
  target.behave({ kind: "reject", message: "somebody else has written in between", isUntouched: true });
  const { result } = await move(engine, planSwitch());
  expect(result).toMatchObject({ ok: false, outcome: "refused" });
  expect(result.message).toContain("somebody else has written in between");
  expect(target.applied).toEqual([]);
  expect(engine.unfinished()).toEqual([]);
  const [entry] = engine.history();
  expect(entry).toMatchObject({ outcome: "refused", message: result.message });
  expect(entry?.after).toEqual(entry?.before);
});

test("a target hears what may be live, so that it overwrites nothing else", async () => {
  const replaced: unknown[] = [];
  const recording = new RecordingTarget({ clock, splits });
  const apply = recording.apply.bind(recording);
  recording.apply = async (weights, options) => {
    replaced.push(options.replaces?.map((each) => each.get(split)));
    return await apply(weights, options);
  };
  recording.behave({ kind: "partial" });
  const engine = createEngine({
    journal: new ModelJournal(),
    target: recording,
    clock,
    settleMs: 1,
    applyTimeoutMs: 10,
  });
  const plan = planSwitch();
  await move(engine, plan);
  const either = [plan.changes[0]?.before, plan.changes[0]?.after];
  expect(replaced).toEqual([either, either]);
});
