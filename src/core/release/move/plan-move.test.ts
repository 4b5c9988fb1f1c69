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
  byHeader,
  preview,
} from "../../../../test/planned-move.fixture.ts";
import {
  sketchTable,
  sketchWeights,
  type RuleSketch,
  type ServiceSketch,
} from "../../../../test/route-table.fixture.ts";
import type { MoveRequest } from "./move.ts";
import { planMove } from "./plan-move.ts";

describe("switch", () => {
  test("moves everybody to green and testers to blue", () => {
    const plan = expectPlan(planOn(scenarioA, request("switch", { green: 100 })));
    expect(plan).toMatchObject({ from: "blue", to: "green", virtualService: "sample-ns/sample-app", stays: [] });
    expect(outcome(plan)).toEqual({ live: "green 100", preview: "blue 100" });
    expect(plan.changes.map(({ role }) => role)).toEqual(["preview", "public"]);
    expect(plan.versions.map(({ name }) => name).toSorted()).toEqual(["blue", "green"]);
  });

  test("there and back is where it began", () => {
    const there = expectPlan(planOn(scenarioA, request("switch", { green: 100 })));
    const back = expectPlan(planOn(scenarioA, request("switch", { blue: 100 }), currentAfter(there)));
    expect(back).toMatchObject({ from: "green", to: "blue" });
    expect(back.changes.map(({ after }) => after)).toEqual(there.changes.map(({ before }) => before));
  });

  test("to what is live already plans the same weights, to be proved", () => {
    const plan = expectPlan(planOn(scenarioA, request("switch", { blue: 100 })));
    expect(plan).toMatchObject({ from: "blue", to: "blue" });
    expect(plan.changes.map(({ ruleName }) => ruleName)).toEqual(["live"]);
    expect(plan.changes.every(({ before, after }) => before === after)).toBe(true);
    expect(plan.stays).toEqual([
      { rule: 0, ruleName: "preview", reason: "It is for testers and keeps reaching green." },
    ]);
  });

  test("takes the share of foreign arms as given", () => {
    const rules: readonly RuleSketch[] = [
      { name: "live", arms: { "nginx/blue": 60, legacy: 40 }, idle: ["nginx/green"] },
    ];
    const plan = expectPlan(planOn([{ name: `${ns}/sample-app`, rules }], request("switch", { green: 100 })));
    expect(outcome(plan)).toEqual({ live: "green 60, legacy 40" });
  });

  test("keeps rules for third versions, fixed answers and other services", () => {
    const rules: readonly RuleSketch[] = [
      {
        name: "canary",
        header: "x-version: canary",
        arms: { "nginx/canary": 100 },
        idle: ["nginx/blue", "nginx/green"],
      },
      { name: "health", path: "/health" },
      { name: "static", path: "/static", arms: { assets: 100 } },
      { ...live, idle: ["nginx/green", "nginx/canary"] },
    ];
    const plan = expectPlan(planOn([{ name: `${ns}/sample-app`, rules }], request("switch", { green: 100 })));
    expect(outcome(plan)).toEqual({ live: "green 100" });
    expect(plan.stays.map(({ ruleName }) => ruleName)).toEqual(["canary", "health", "static"]);
  });

  test("moves conditional rules that send to the live version along", () => {
    const inHouse: RuleSketch = {
      name: "in-house",
      header: "x-team: a",
      arms: { "nginx/blue": 100 },
      idle: ["nginx/green"],
    };
    const services = [{ name: `${ns}/sample-app`, rules: [preview, inHouse, live] }];
    const plan = expectPlan(planOn(services, request("switch", { green: 100 })));
    expect(outcome(plan)).toEqual({ preview: "blue 100", "in-house": "green 100", live: "green 100" });
  });

  test("leaves rules alone that give each version a name of its own", () => {
    const services = [{ name: `${ns}/sample-app`, rules: [byHeader("blue"), byHeader("green"), live] }];
    const there = expectPlan(planOn(services, request("switch", { green: 100 })));
    expect(outcome(there)).toEqual({ live: "green 100" });
    const back = expectPlan(planOn(services, request("switch", { blue: 100 }), currentAfter(there)));
    expect(outcome(back)).toEqual({ live: "blue 100" });
  });

  test("names one path rule with --route and leaves the testers' rule until all have moved", () => {
    const api: RuleSketch = { name: "api", path: "/api", arms: { "nginx/blue": 100 }, idle: ["nginx/green"] };
    const services = [{ name: `${ns}/sample-app`, rules: [preview, api, live] }];
    const first = expectPlan(planOn(services, request("switch", { green: 100 }, { route: "api" })));
    expect(outcome(first)).toEqual({ api: "green 100" });
    const second = expectPlan(planOn(services, request("switch", { green: 100 }, { route: "2" }), currentAfter(first)));
    expect(outcome(second)).toEqual({ live: "green 100", preview: "blue 100" });
  });

  test("moves the testers' rule alone when --route names it", () => {
    const plan = expectPlan(planOn(scenarioA, request("switch", { blue: 100 }, { route: "preview" })));
    expect(outcome(plan)).toEqual({ preview: "blue 100" });
  });

  test("moves several ports of a host at once, each within its own share", () => {
    const rules: readonly RuleSketch[] = [
      { name: "live", arms: { "nginx:80/blue": 70, "nginx:81/blue": 30 }, idle: ["nginx:80/green", "nginx:81/green"] },
    ];
    const plan = expectPlan(planOn([{ name: `${ns}/sample-app`, rules }], request("switch", { green: 100 })));
    expect(plan.changes[0]?.after).toEqual(
      sketchWeights({ "nginx:80/blue": 0, "nginx:81/blue": 0, "nginx:80/green": 70, "nginx:81/green": 30 }, ns),
    );
  });
});

describe("switch between hosts", () => {
  const byHost: readonly RuleSketch[] = [
    { name: "preview", header: "x-version: green", arms: { "green-api": 100 }, idle: ["blue-api"] },
    { name: "live", arms: { "blue-api": 100 }, idle: ["green-api"] },
  ];

  test("takes short and full names", () => {
    for (const version of ["green-api", "green-api.sample-ns", "green-api.sample-ns.svc.cluster.local"]) {
      const plan = expectPlan(
        planOn([{ name: `${ns}/sample-app`, rules: byHost }], request("switch", { [version]: 100 })),
      );
      expect(plan).toMatchObject({ from: "blue-api", to: "green-api" });
      expect(outcome(plan)).toEqual({ live: "green-api 100", preview: "blue-api 100" });
    }
  });

  test("asks which rule when rules send to different hosts", () => {
    const rules: readonly RuleSketch[] = [
      { name: "api", path: "/api", arms: { api: 100 }, idle: ["web"] },
      { name: "web", arms: { web: 100 }, idle: ["api"] },
    ];
    const services = [{ name: `${ns}/sample-app`, rules }];
    const refusal = expectRefusal(planOn(services, request("switch", { api: 100 })));
    expect(refusal.code).toBe("KIR2004");
    expect(refusal.text).toMatch(/--route.*rule 0 \(api\) to api and rule 1 \(web\) to web/);
    const plan = expectPlan(planOn(services, request("switch", { api: 100 }, { route: "web" })));
    expect(outcome(plan)).toEqual({ web: "api 100" });
  });

  test("knows the rule that names the host as an alternative", () => {
    const rules: readonly RuleSketch[] = [
      { name: "api", path: "/api", arms: { api: 100 }, idle: ["web", "web-v2"] },
      { name: "web", arms: { web: 100, "web-v2": 0 }, idle: ["api"] },
    ];
    const plan = expectPlan(planOn([{ name: `${ns}/sample-app`, rules }], request("switch", { "web-v2": 100 })));
    expect(outcome(plan)).toEqual({ web: "web-v2 100" });
  });
});

describe("a destination of another host beside subsets", () => {
  const fruit: readonly RuleSketch[] = [{ name: "all", arms: { "fruit/v1": 70, "fruit/v2": 30, legacy: 10 } }];
  const services: readonly ServiceSketch[] = [{ name: `${ns}/sample-app`, rules: fruit }];

  test("takes all of the rule's traffic when it is asked for, and gives it back", () => {
    const plan = expectPlan(planOn(services, request("switch", { legacy: 100 })));
    expect(outcome(plan)).toEqual({ all: "legacy 100" });
    expect(plan).toMatchObject({ from: "v1", to: "legacy" });
    const back = expectPlan(planOn(services, request("switch", { v2: 100 }), currentAfter(plan)));
    expect(outcome(back)).toEqual({ all: "v2 100" });
    expect(back).toMatchObject({ from: "legacy", to: "v2" });
  });

  test("keeps its share when a subset is asked for, and has its name in the plan", () => {
    const plan = expectPlan(planOn(services, request("switch", { v2: 100 })));
    expect(plan.changes[0]?.after).toMatchObject(sketchWeights({ "fruit/v2": 100, legacy: 10 }, ns));
    expect(plan.versions.map(({ name }) => name)).toEqual(["v1", "v2", "legacy"]);
  });

  test("is told from a subset of the same name", () => {
    const rules: readonly RuleSketch[] = [{ arms: { "fruit/v1": 70, "fruit/v2": 20, "veg/v1": 10 } }];
    const plan = expectPlan(planOn([{ name: `${ns}/sample-app`, rules }], request("switch", { v2: 100 })));
    expect(plan.versions.map(({ name }) => name)).toEqual(["v1", "v2", "veg/v1"]);
  });
});

test.each<[MoveRequest["verb"], MoveRequest["to"]]>([
  ["switch", { green: 0 }],
  ["switch", { green: 50 }],
  ["rollback", { green: 100 }],
  ["shift", { green: 1e-300 }],
  ["shift", { green: 99.999999999 }],
  ["shift", { green: Number.NaN }],
  ["shift", { green: -1 }],
])("%s to %j is refused, whoever asks", (verb, to) => {
  const planning = planMove({ table: sketchTable(scenarioA), current: new Map(), request: request(verb, to) });
  expect(expectRefusal(planning).code).toBe("KIR2006");
});

test.each([0.01, 33.33, 12.5, 99.99, 0.07, 100, 0])("a shift to %d %% is understood", (green) => {
  const planning = planMove({
    table: sketchTable(scenarioA),
    current: new Map(),
    request: request("shift", { green }),
  });
  expect(expectPlan(planning).changes.length).toBeGreaterThan(0);
});
