import { describe, expect, test } from "vitest";
import {
  ns,
  live,
  scenarioA,
  request,
  expectPlan,
  expectRefusal,
  outcome,
  planOn,
} from "../../../../test/planned-move.fixture.ts";
import { sketchTable, type RuleSketch, type ServiceSketch } from "../../../../test/route-table.fixture.ts";
import { planMove } from "./plan-move.ts";

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
