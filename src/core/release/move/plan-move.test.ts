import { describe, expect, test } from "vitest";
import {
  sketchTable,
  sketchWeights,
  type RuleSketch,
  type ServiceSketch,
} from "../../../../test/route-table.fixture.ts";
import type { WeightOverrides } from "../../routes/route-table.ts";
import type { MovePlan, MoveRequest } from "./move.ts";
import { planMove, type MovePlanning } from "./plan-move.ts";

const ns = "sample-ns";
const live: RuleSketch = { name: "live", arms: { "nginx/blue": 100 }, idle: ["nginx/green"] };
const preview: RuleSketch = {
  name: "preview",
  header: "x-version: green",
  arms: { "nginx/green": 100 },
  idle: ["nginx/blue"],
};
const scenarioA: readonly ServiceSketch[] = [
  { name: `${ns}/sample-app`, hosts: ["sample.hoge.com"], rules: [preview, live] },
];

function request(verb: MoveRequest["verb"], to: MoveRequest["to"], more: Partial<MoveRequest> = {}): MoveRequest {
  return {
    verb,
    name: "sample-app",
    namespace: undefined,
    route: undefined,
    to,
    actor: "test",
    reason: undefined,
    ...more,
  };
}

function expectPlan(planning: MovePlanning): MovePlan {
  if (planning.kind === "refused") throw planning.error;
  return planning.plan;
}

function expectRefusal(planning: MovePlanning): { code: string; text: string } {
  if (planning.kind === "plan") throw new Error(`Planned ${JSON.stringify(planning.plan.changes)}.`);
  return { code: planning.error.code, text: `${planning.error.message} ${planning.error.hint}` };
}

/** `rule: nginx/green 100` for each change, so that a test reads like the plan that a user sees. */
function outcome(plan: MovePlan): Record<string, string> {
  return Object.fromEntries(
    plan.changes.map(({ ruleName, rule, after }) => {
      const total = Object.values(after).reduce((sum, weight) => sum + weight, 0);
      const shares = Object.entries(after)
        .filter(([, weight]) => weight > 0)
        .map(([destination, weight]) => {
          const [, , subset = "", host = ""] = destination.split("|");
          return `${subset === "" ? host.split(".")[0] : subset} ${(weight / total) * 100}`;
        });
      return [ruleName ?? String(rule), shares.toSorted().join(", ")];
    }),
  );
}

function currentAfter(plan: MovePlan, current: WeightOverrides = new Map()): WeightOverrides {
  return new Map([...current, ...plan.changes.map(({ split, after }) => [split, after] as const)]);
}

function planOn(
  services: readonly ServiceSketch[],
  asked: MoveRequest,
  current: WeightOverrides = new Map(),
): MovePlanning {
  return planMove({ table: sketchTable(services), current, request: asked });
}

/** `x-host: blue` leads to blue, whatever is live. */
function byHeader(version: "blue" | "green"): RuleSketch {
  return {
    name: version,
    header: `x-host: ${version}`,
    arms: { [`nginx/${version}`]: 100 },
    idle: [version === "blue" ? "nginx/green" : "nginx/blue"],
  };
}

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

describe("names", () => {
  const several: readonly ServiceSketch[] = [
    ...scenarioA,
    { name: "other/sample-app", rules: [live] },
    {
      name: "other/shop",
      hosts: ["shop.example.com"],
      rules: [{ name: "live", arms: { cart: 1 }, idle: ["cart-v2"] }],
    },
  ];

  test.each([
    ["nginx", "sample-ns", "sample-ns/sample-app"],
    ["sample.hoge.com", undefined, "sample-ns/sample-app"],
    ["sample-ns/sample-app", undefined, "sample-ns/sample-app"],
    ["nginx.sample-ns.svc.cluster.local", undefined, "sample-ns/sample-app"],
    ["sample-app", "sample-ns", "sample-ns/sample-app"],
  ])("%s in %s is %s", (name, namespace, virtualService) => {
    const plan = expectPlan(planOn(several, request("switch", { green: 100 }, { name, namespace })));
    expect(plan.virtualService).toBe(virtualService);
  });

  test("a service that only one VirtualService leads to needs no namespace", () => {
    const plan = expectPlan(planOn(several, request("switch", { "cart-v2": 100 }, { name: "cart" })));
    expect(plan.virtualService).toBe("other/shop");
  });

  test("several of one name are listed", () => {
    const refusal = expectRefusal(planOn(several, request("switch", { green: 100 })));
    expect(refusal).toMatchObject({ code: "KIR2002" });
    expect(refusal.text).toContain("other/sample-app and sample-ns/sample-app");
  });

  test.each([
    [{ name: "nobody" }, "KIR2001", "sample-ns/sample-app"],
    [{ name: "sample-app", namespace: "nowhere" }, "KIR2001", "nowhere"],
    [{ name: "shop", to: { purple: 100 } }, "KIR2003", "cart and cart-v2"],
    [{ name: "shop", to: { "cart-v2": 100 }, route: "none" }, "KIR2005", "rule 0 (live)"],
    [{ name: "shop", to: { cart: 100, "cart-v2": 100 } }, "KIR2006", "exactly one"],
  ] as const)("%j is refused with %s", (more, code, text) => {
    const refusal = expectRefusal(planOn(several, request("switch", { green: 100 }, more)));
    expect(refusal.code).toBe(code);
    expect(refusal.text).toContain(text);
  });

  test("a subset of two hosts is asked about", () => {
    const rules: readonly RuleSketch[] = [
      { name: "api", path: "/api", arms: { "api/blue": 100 }, idle: ["api/green"] },
      { name: "web", arms: { "web/blue": 100 }, idle: ["web/green"] },
    ];
    const services = [{ name: `${ns}/sample-app`, rules }];
    const refusal = expectRefusal(planOn(services, request("switch", { green: 100 })));
    expect(refusal.code).toBe("KIR2004");
    expect(refusal.text).toContain("rule 0 (api) to blue and rule 1 (web) to blue");
    expect(outcome(expectPlan(planOn(services, request("switch", { green: 100 }, { route: "api" }))))).toEqual({
      api: "green 100",
    });
    expect(outcome(expectPlan(planOn(services, request("switch", { "web/green": 100 }))))).toEqual({
      web: "green 100",
    });
  });

  test("a version without endpoints is refused, with those that have some", () => {
    const table = sketchTable(scenarioA, ["nginx/green"]);
    const refusal = expectRefusal(planMove({ table, current: new Map(), request: request("switch", { green: 100 }) }));
    expect(refusal.code).toBe("KIR2010");
    expect(refusal.text).toContain("Endpoints: blue 1, green 0");
  });

  test("a VirtualService that only answers by itself has nothing to move", () => {
    const services = [{ name: `${ns}/sample-app`, rules: [{ name: "health" }] }];
    expect(expectRefusal(planOn(services, request("switch", { green: 100 }))).code).toBe("KIR2008");
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

describe("nothing to move", () => {
  test("a rule with one destination is refused, with what exists", () => {
    const services = [{ name: `${ns}/sample-app`, rules: [{ arms: { legacy: 100 } }] }];
    const refusal = expectRefusal(planOn(services, request("switch", { legacy: 100 })));
    expect(refusal.code).toBe("KIR2008");
    expect(refusal.text).toContain("nothing but legacy");
  });

  test("is no success while a rule for everybody cannot go along", () => {
    const other: RuleSketch = { name: "old", path: "/old", arms: { "nginx/blue": 100 } };
    const done: RuleSketch = { name: "live", arms: { "nginx/green": 100 }, idle: ["nginx/blue"] };
    const services = [{ name: `${ns}/sample-app`, rules: [other, done] }];
    const refusal = expectRefusal(planOn(services, request("switch", { green: 100 })));
    expect(refusal.code).toBe("KIR2008");
    expect(refusal.text).toContain("rule 0 (old): It has blue and nothing else to send to.");
  });

  test("a VirtualService that no gateway serves is not said to be missing", () => {
    const at = { file: "mesh.yaml", line: 1, column: 1 };
    const unserved = [
      { virtualService: `${ns}/inside`, host: "inside.local", reason: "it is bound to the mesh only", at },
    ];
    const table = { ...sketchTable(scenarioA), unserved };
    for (const name of ["inside", "inside.local"]) {
      const asked = request("switch", { green: 100 }, { name });
      const refusal = expectRefusal(planMove({ table, current: new Map(), request: asked }));
      expect(refusal.code).toBe("KIR2001");
      expect(refusal.text).toContain(`${ns}/inside is served at no gateway: it is bound to the mesh only.`);
    }
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
