import { describe, expect, test } from "vitest";
import { type RuleSketch, sketchTable } from "../../../../test/route-table.fixture.ts";
import { parseManifests } from "../../manifest/parse-manifests.ts";
import type { RouteTable, WeightOverrides } from "../../routes/route-table.ts";
import { planRelease, type ReleasePlan } from "../plan/plan-release.ts";
import { planReturn, type ReturnPlanning } from "./plan-return.ts";

const preview: RuleSketch = {
  name: "preview",
  header: "x-version: green",
  arms: { "app/green": 100 },
  idle: ["app/blue"],
};
const everybody: RuleSketch = { name: "public", arms: { "app/blue": 100 }, idle: ["app/green"] };
const table = tableOf([preview, everybody]);
const bySubset = (subset: string): string => `outbound|80|${subset}|app.shop.svc.cluster.local`;
const shares = (blue: number, green: number) => ({ [bySubset("blue")]: blue, [bySubset("green")]: green });

function tableOf(rules: readonly RuleSketch[]): RouteTable {
  return sketchTable([{ name: "shop/web", rules }]);
}

/** Gives `public` its share first, and swaps the preview rule at the end. */
function planned(): ReleasePlan {
  const spec = "{routes: [{virtualService: web}], to: green, strategy: {canary: {weights: [10], hold: {}}}}";
  const text = `{apiVersion: kirikae.dev/v1alpha1, kind: Release, metadata: {name: r, namespace: shop}, spec: ${spec}}`;
  const { manifests } = parseManifests([{ path: "r.yaml", text }], { defaultNamespace: "default" });
  const [release] = manifests;
  if (release?.kind !== "Release") throw new Error("No Release was read.");
  const planning = planRelease({ table, current: new Map(), release, actor: "ann" });
  if (planning.kind === "refused") throw planning.error;
  return planning.plan;
}

function goBack(step: number, current: WeightOverrides, live: RouteTable = table): ReturnPlanning {
  return planReturn({ plan: planned(), step, table: live, current, actor: "bob" });
}

function changesOf(planning: ReturnPlanning): unknown {
  if (planning.kind !== "plan")
    throw new Error(planning.kind === "refused" ? planning.error.message : "Nothing moves.");
  return planning.plan.changes.map(({ split, before, after }) => ({ split, before, after }));
}

describe("the way back", () => {
  test("leaves alone what no step has come to, because that is somebody else's", () => {
    const current = new Map([
      ["shop/web/public", shares(90, 10)],
      ["shop/web/preview", shares(50, 50)],
    ]);
    expect(changesOf(goBack(1, current))).toEqual([
      { split: "shop/web/public", before: shares(90, 10), after: shares(100, 0) },
    ]);
    // The last step failed, because the preview rule was not as it was agreed.
    expect(changesOf(goBack(2, current))).toEqual([
      { split: "shop/web/public", before: shares(90, 10), after: shares(100, 0) },
    ]);
  });

  test("takes back all rules of the steps that were gone", () => {
    const current = new Map([
      ["shop/web/public", shares(0, 100)],
      ["shop/web/preview", shares(100, 0)],
    ]);
    expect(changesOf(goBack(3, current))).toEqual([
      { split: "shop/web/public", before: shares(0, 100), after: shares(100, 0) },
      { split: "shop/web/preview", before: shares(100, 0), after: shares(0, 100) },
    ]);
  });

  test("has nothing to do for a rule that is gone", () => {
    expect(goBack(1, new Map(), tableOf([preview]))).toEqual({ kind: "nothing" });
  });

  test("is refused where the version that was live is no longer there", () => {
    const live = tableOf([preview, { name: "public", arms: { "app/green": 100 } }]);
    const planning = goBack(1, new Map(), live);
    if (planning.kind !== "refused") throw new Error("It was planned.");
    expect(planning.error).toMatchObject({
      code: "KIR2012",
      message: `shop/r cannot be taken back as it was: rule 1 (public) no longer has ${bySubset("blue")}.`,
    });
  });
});
