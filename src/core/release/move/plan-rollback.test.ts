import { describe, expect, test } from "vitest";
import { sketchTable, sketchWeights, type RuleSketch } from "../../../../test/route-table.fixture.ts";
import type { WeightOverrides } from "../../routes/route-table.ts";
import type { MovePlan } from "./move.ts";
import type { PastMove } from "./past-move.ts";
import { planMove, type MovePlanning } from "./plan-move.ts";

const rules: readonly RuleSketch[] = [{ name: "live", arms: { "nginx/blue": 100 }, idle: ["nginx/green"] }];
const table = sketchTable([{ name: "ns/app", rules }]);
const split = "ns/app/live";
const onGreen: WeightOverrides = new Map([[split, sketchWeights({ "nginx/green": 100 }, "ns")]]);

function ask(
  verb: "switch" | "rollback",
  more: { readonly current?: WeightOverrides; readonly history?: readonly PastMove[] } = {},
): MovePlanning {
  return planMove({
    table,
    current: more.current ?? new Map(),
    history: more.history ?? [],
    request: {
      verb,
      name: "app",
      namespace: undefined,
      route: undefined,
      to: verb === "switch" ? { green: 100 } : {},
      actor: "test",
      reason: "because",
    },
  });
}

function switched(): MovePlan {
  const planning = ask("switch");
  if (planning.kind === "refused") throw planning.error;
  return planning.plan;
}

function past(outcome: PastMove["outcome"], plan = switched()): PastMove {
  return { id: "m1", plan, outcome };
}

describe("rollback", () => {
  test("is refused when nothing was moved", () => {
    expect(ask("rollback")).toMatchObject({ kind: "refused", error: { code: "KIR2011", exitStatus: 1 } });
  });

  test.each(["refused", "restored", "stuck"] as const)("passes over a move that was %s", (outcome) => {
    expect(ask("rollback", { history: [past(outcome)] })).toMatchObject({ error: { code: "KIR2011" } });
  });

  test("undoes a move that was not fully proved", () => {
    const planning = ask("rollback", { current: onGreen, history: [past("unproved")] });
    expect(planning).toMatchObject({ kind: "plan", plan: { verb: "rollback", from: "green", to: "blue" } });
  });

  test("passes over a move that found everything in place", () => {
    const idle = switched();
    const nothing = { ...idle, changes: idle.changes.map((change) => ({ ...change, before: change.after })) };
    const history = [past("done"), past("done", nothing)];
    expect(ask("rollback", { current: onGreen, history })).toMatchObject({ plan: { from: "green", to: "blue" } });
  });

  test("goes there and back past moves that changed nothing", () => {
    const there = switched();
    const nothing = { ...there, changes: there.changes.map((change) => ({ ...change, before: change.after })) };
    const undo = ask("rollback", { current: onGreen, history: [past("done", there), past("done", nothing)] });
    if (undo.kind === "refused") throw undo.error;
    const still = { ...undo.plan, changes: undo.plan.changes.map((change) => ({ ...change, before: change.after })) };
    const history = [past("done", there), past("done", undo.plan), past("done", still)];
    expect(ask("rollback", { history })).toMatchObject({ kind: "plan", plan: { from: "blue", to: "green" } });
  });

  test("says what differs when the weights were changed since", () => {
    const planning = ask("rollback", { history: [past("done")] });
    expect(planning).toMatchObject({
      kind: "refused",
      error: {
        code: "KIR2012",
        exitStatus: 1,
        hint: expect.stringContaining("rule 0 (live) has blue 100 %, the move left green 100 %"),
      },
    });
  });

  test("says when the rule has gone", () => {
    const plan = switched();
    const gone = { ...plan, changes: plan.changes.map((change) => ({ ...change, split: "ns/app/gone" })) };
    const planning = ask("rollback", { history: [past("done", gone)] });
    expect(planning).toMatchObject({ error: { code: "KIR2012", hint: expect.stringContaining("is no longer there") } });
  });
});
