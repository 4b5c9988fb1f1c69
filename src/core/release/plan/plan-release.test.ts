import { expect, test } from "vitest";
import { sketchTable, type ServiceSketch } from "../../../../test/route-table.fixture.ts";
import type { ReleaseManifest } from "../../manifest/manifest.ts";
import { parseManifests } from "../../manifest/parse-manifests.ts";
import { planRelease, type ReleasePlan, type ReleasePlanning } from "./plan-release.ts";
import { isSameShare } from "../move/split-weights.ts";

const services: readonly ServiceSketch[] = ["shop/web", "shop/api"].map((name) => ({
  name,
  rules: [
    { name: "preview", header: "x-version: green", arms: { "app/green": 100 }, idle: ["app/blue"] },
    { name: "public", arms: { "app/blue": 100 }, idle: ["app/green"] },
  ],
}));

function releaseOf(spec: string): ReleaseManifest {
  const text = `{apiVersion: kirikae.dev/v1alpha1, kind: Release, metadata: {name: r, namespace: shop}, spec: ${spec}}`;
  const { manifests, diagnostics } = parseManifests([{ path: "r.yaml", text }], { defaultNamespace: "default" });
  expect(diagnostics).toEqual([]);
  const [release] = manifests;
  if (release?.kind !== "Release") throw new Error("No Release was read.");
  return release;
}

function plan(spec: string): ReleasePlanning {
  return planRelease({ table: sketchTable(services), current: new Map(), release: releaseOf(spec), actor: "test" });
}

function expectPlan(planning: ReleasePlanning): ReleasePlan {
  if (planning.kind === "refused") throw planning.error;
  return planning.plan;
}

function expectCode(planning: ReleasePlanning): string {
  if (planning.kind === "plan") throw new Error("It was planned.");
  return `${planning.error.code} ${planning.error.message}`;
}

test("presets stand for steps, and each step begins where the one before ended", () => {
  const { steps } = expectPlan(
    plan(
      "{routes: [{virtualService: web}, {virtualService: api}], to: green, strategy: {canary: {weights: [10, 50], hold: 1m, approve: {}}}}",
    ),
  );
  expect(steps.map(({ kind }) => kind)).toEqual(["weight", "hold", "weight", "hold", "approve", "switch"]);
  const moves = steps.flatMap((step) => ("moves" in step ? [step.moves] : []));
  expect(moves.map((group) => group.map(({ virtualService }) => virtualService))).toEqual(
    [1, 2, 3].map(() => ["shop/web", "shop/api"]),
  );
  const live = new Map<string, Readonly<Record<string, number>>>();
  for (const { changes } of moves.flat()) {
    for (const { split, before, after } of changes) {
      expect(isSameShare(before, live.get(split) ?? before)).toBe(true);
      live.set(split, after);
    }
  }
});

test("blue/green asks, switches and watches", () => {
  const { steps } = expectPlan(
    plan("{routes: [{virtualService: web}], to: green, strategy: {blueGreen: {approve: {}, bake: 30m}}}"),
  );
  expect(steps.map(({ kind }) => kind)).toEqual(["approve", "switch", "bake"]);
});

test("one step that cannot be planned refuses the release and says which", () => {
  const planning = plan(
    "{routes: [{virtualService: web}], to: green, strategy: {steps: [{hold: 1m}, {weight: {red: 10}}]}}",
  );
  expect(expectCode(planning)).toBe("KIR2003 Step 2 (weight) of r: shop/web has no version red.");
});

test("another live version than the one named is refused", () => {
  const planning = plan("{routes: [{virtualService: web}], from: old, to: green, strategy: {blueGreen: {}}}");
  expect(expectCode(planning)).toContain("KIR2030 Step 1 (switch) of r: blue is live at shop/web, not old.");
  expectPlan(plan("{routes: [{virtualService: web}], from: blue, to: green, strategy: {blueGreen: {}}}"));
});

test("two routes that move one rule are refused", () => {
  const routes = "[{virtualService: web}, {virtualService: web, route: public}]";
  const planning = plan(`{routes: ${routes}, to: green, strategy: {blueGreen: {}}}`);
  expect(expectCode(planning)).toContain("KIR2031");
});
