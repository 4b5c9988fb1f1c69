import { describe, expect, test } from "vitest";
import {
  ns,
  live,
  scenarioA,
  request,
  expectPlan,
  expectRefusal,
  outcome,
  currentAfter,
  planOn,
} from "../../../../test/planned-move.fixture.ts";
import { sketchWeights, type RuleSketch } from "../../../../test/route-table.fixture.ts";
import type { WeightOverrides } from "../../routes/route-table.ts";

describe("shift", () => {
  test("gives the named share to green and the rest to the live version", () => {
    const plan = expectPlan(planOn(scenarioA, request("shift", { green: 10 })));
    expect(plan).toMatchObject({ from: "blue", to: "green" });
    expect(outcome(plan)).toEqual({ live: "blue 90, green 10" });
    expect(plan.stays).toEqual([
      { rule: 0, ruleName: "preview", reason: "It is for testers and keeps reaching green." },
    ]);
  });

  test("in steps keeps testers on the idle version until everything has moved", () => {
    let current: WeightOverrides = new Map();
    for (const percent of [10, 60, 90]) {
      const plan = expectPlan(planOn(scenarioA, request("shift", { green: percent }), current));
      expect(outcome(plan)).toEqual({ live: `blue ${100 - percent}, green ${percent}` });
      current = currentAfter(plan, current);
    }
    const last = expectPlan(planOn(scenarioA, request("shift", { green: 100 }), current));
    expect(outcome(last)).toEqual({ live: "green 100", preview: "blue 100" });
    const back = expectPlan(planOn(scenarioA, request("shift", { green: 70 }), currentAfter(last, current)));
    expect(outcome(back)).toEqual({ live: "blue 30, green 70" });
  });

  test("divides among several and keeps two decimals", () => {
    const rules: readonly RuleSketch[] = [{ ...live, idle: ["nginx/green", "nginx/canary"] }];
    const plan = expectPlan(
      planOn([{ name: `${ns}/sample-app`, rules }], request("shift", { green: 10.25, canary: 0.5 })),
    );
    expect(plan.changes[0]?.after).toEqual(
      sketchWeights({ "nginx/blue": 357, "nginx/green": 41, "nginx/canary": 2 }, ns),
    );
  });

  test("keeps a rule's own version where it is not the live one", () => {
    const beta: RuleSketch = {
      name: "beta",
      path: "/beta",
      arms: { "nginx/canary": 100 },
      idle: ["nginx/blue", "nginx/green"],
    };
    const services = [{ name: `${ns}/sample-app`, rules: [beta, { ...live, idle: ["nginx/green", "nginx/canary"] }] }];
    const plan = expectPlan(planOn(services, request("shift", { green: 10 })));
    expect(outcome(plan)).toEqual({ beta: "canary 90, green 10", live: "blue 90, green 10" });
  });

  test.each([
    [{ green: 60, blue: 50 }, "KIR2006"],
    [{ green: 101 }, "KIR2006"],
    [{ green: -1 }, "KIR2006"],
    [{ green: 0.001 }, "KIR2006"],
    [{ green: Number.NaN }, "KIR2006"],
    [{}, "KIR2006"],
    [{ green: 50, purple: 10 }, "KIR2003"],
  ] as const)("refuses %j", (to, code) => {
    expect(expectRefusal(planOn(scenarioA, request("shift", to))).code).toBe(code);
  });

  const four: RuleSketch = { name: "live", arms: { "nginx/a": 40, "nginx/b": 30, "nginx/c": 20, "nginx/d": 10 } };
  test.each([
    ["the live version makes room", { d: 25 }, "a 25, b 30, c 20, d 25"],
    ["the live version takes what is given up", { b: 0 }, "a 70, c 20, d 10"],
    ["the others give once the live one has nothing left", { d: 75 }, "b 15, c 10, d 75"],
    ["the others share the rest as before where the live one is named", { a: 10, d: 70 }, "a 10, b 12, c 8, d 70"],
  ])("among four versions %s", (_, to, expected) => {
    const plan = expectPlan(planOn([{ name: `${ns}/sample-app`, rules: [four] }], request("shift", to)));
    expect(outcome(plan)).toEqual({ live: expected });
  });

  const beside: RuleSketch = { name: "live", arms: { "nginx/a": 50, "nginx/b": 30, legacy: 20 } };
  test.each([
    ["all of them", { a: 10, b: 60, legacy: 30 }, "a 10, b 60, legacy 30"],
    ["some of them, and the live one takes the rest", { b: 50, legacy: 0 }, "a 50, b 50"],
  ])("divides among subsets and a host beside them where both are named: %s", (_, to, expected) => {
    const plan = expectPlan(planOn([{ name: `${ns}/sample-app`, rules: [beside] }], request("shift", to)));
    expect(outcome(plan)).toEqual({ live: expected });
  });

  test("refuses subsets and hosts that no rule has together", () => {
    const rules: readonly RuleSketch[] = [
      { name: "one", path: "/one", arms: { "nginx/a": 50, "nginx/b": 50 }, idle: ["legacy"] },
      { name: "rest", arms: { legacy: 100 }, idle: ["nginx/a", "nginx/b"] },
    ];
    const refusal = expectRefusal(
      planOn([{ name: `${ns}/sample-app`, rules }], request("shift", { a: 10, legacy: 90 })),
    );
    expect(refusal.code).toBe("KIR2004");
  });

  test("moves rules that began together to their end together, whichever of them names the new host", () => {
    const rules: readonly RuleSketch[] = [
      { name: "one", path: "/one", arms: { "api-v1": 100 }, idle: ["api-v2"] },
      { name: "rest", arms: { "api-v1": 100, "api-v2": 0 } },
    ];
    const services = [{ name: `${ns}/sample-app`, rules }];
    const first = expectPlan(planOn(services, request("shift", { "api-v2": 10 })));
    expect(outcome(first)).toEqual({ one: "api-v1 90, api-v2 10", rest: "api-v1 90, api-v2 10" });
    const last = expectPlan(planOn(services, request("switch", { "api-v2": 100 }), currentAfter(first)));
    expect(outcome(last)).toEqual({ one: "api-v2 100", rest: "api-v2 100" });
  });

  test("asks who takes the rest when nobody can tell", () => {
    const rules: readonly RuleSketch[] = [{ name: "live", arms: { "nginx/a": 100 }, idle: ["nginx/b", "nginx/c"] }];
    const refusal = expectRefusal(planOn([{ name: `${ns}/sample-app`, rules }], request("shift", { a: 50 })));
    expect(refusal).toMatchObject({ code: "KIR2007" });
  });
});
