import { expect, test } from "vitest";
import { destinationId, sketchTable } from "../../../../test/route-table.fixture.ts";
import type { ReleaseManifest } from "../../manifest/manifest.ts";
import { parseManifests } from "../../manifest/parse-manifests.ts";
import type { RouteTable } from "../../routes/route-table.ts";
import { additionsAfter, collectAdditions, stepsInPlace } from "../live/additions-in-place.ts";
import { unstarted } from "../state/advance-release.ts";
import { findLostAddition } from "../live/find-lost-addition.ts";
import { buildMovableRules } from "../move/movable-rules.ts";
import { planRelease, type ReleasePlan, type ReleasePlanning } from "./plan-release.ts";
import type { ReleasePhase } from "../state/release-state.ts";

const green = destinationId("app/green", "shop");

function tableOf(rules = ["public"]): RouteTable {
  return sketchTable(
    ["shop/web", "shop/api"].map((name) => ({
      name,
      rules: [
        { name: "preview", header: "x-version: green", arms: { "app/green": 100 }, idle: ["app/blue"] },
        ...rules.map((rule) => ({ name: rule, arms: { "app/blue": 100 }, idle: ["app/green"] })),
      ],
    })),
  );
}

function releaseOf(spec: string, name: string): ReleaseManifest {
  const head = `apiVersion: kirikae.dev/v1alpha1, kind: Release, metadata: {name: ${name}, namespace: shop}`;
  const { manifests, diagnostics } = parseManifests([{ path: "r.yaml", text: `{${head}, spec: ${spec}}` }], {
    defaultNamespace: "default",
  });
  expect(diagnostics).toEqual([]);
  const [release] = manifests;
  if (release?.kind !== "Release") throw new Error("No Release was read.");
  return release;
}

interface Sketch {
  readonly routes?: string;
  readonly more?: string;
  readonly name?: string;
  readonly table?: RouteTable;
}

function planningOf(strategy: string, sketch: Sketch = {}): ReleasePlanning {
  const { routes = "{virtualService: web}", more = "", name = "r", table = tableOf() } = sketch;
  const release = releaseOf(`{routes: [${routes}], to: green, ${more} strategy: ${strategy}}`, name);
  return planRelease({ table, current: new Map(), release, actor: "test" });
}

function planOf(strategy: string, sketch: Sketch = {}): ReleasePlan {
  const planning = planningOf(strategy, sketch);
  if (planning.kind === "refused") throw planning.error;
  return planning.plan;
}

function placed(step: string, sketch: Sketch, phase: ReleasePhase) {
  const plan = planOf(`{steps: [${step}, {hold: {}}]}`, sketch);
  return { plan, stepsDone: stepsInPlace(plan, { ...unstarted, phase }) };
}

const staff = "{preview: {name: staff, match: [{headers: {x-staff: {}}}]}}";
const beta = "{preview: {name: beta, match: [{cookies: {beta: {}}}]}}";

test("a preview is of the public rules of every route, because that of testers shows the new version already", () => {
  const [step] = planOf(`{steps: [${staff}]}`, { routes: "{virtualService: web}, {virtualService: api}" }).steps;
  expect(step).toMatchObject({
    kind: "preview",
    addition: { to: { "shop/web/public": green, "shop/api/public": green } },
  });
  expect(step).not.toHaveProperty("addition.to.shop/web/preview");
});

test("a foreign host that keeps its share is neither shown to testers nor sent copies", () => {
  const arms = { "app/blue": 90, legacy: 10 };
  const table = sketchTable([{ name: "shop/web", rules: [{ name: "public", arms, idle: ["app/green"] }] }]);
  const steps = "[{preview: {name: qa, match: [{headers: {x-qa: {}}}]}}, {mirror: {percent: 5}}, {switch: {}}]";
  const additions = planOf(`{steps: ${steps}}`, { table }).steps.flatMap((step) =>
    step.kind === "preview" || step.kind === "mirror" ? [step.addition.to] : [],
  );
  expect(additions).toEqual([{ "shop/web/public": green }, { "shop/web/public": green }]);
});

test("what is added is taken away by a last step, and each step is held to the version that is to come", () => {
  const { steps } = planOf(`{steps: [${staff}, {mirror: {percent: 5}}, {weight: 10}, {switch: {}}]}`);
  expect(steps.map(({ kind }) => kind)).toEqual(["preview", "mirror", "weight", "switch", "finish"]);
  const refused = planningOf("{steps: [{hold: 1m}, {preview: {match: [{cookies: {a: {}}}]}}]}", {
    more: "from: red,",
    routes: "{virtualService: none}",
  });
  expect(refused).toMatchObject({ kind: "refused", error: { message: expect.stringContaining("Step 2 (preview)") } });
});

test("no visitor is kept by one hash where endpoints are chosen by another", () => {
  const table = tableOf();
  const destinations = new Map(
    [...table.destinations].map(([id, destination]) => {
      const key = { kind: "header", name: "x-user" } as const;
      const loadBalancer = { kind: "ringHash", minimumRingSize: 1024, key } as const;
      return [id, { ...destination, policy: { ...destination.policy, loadBalancer } }] as const;
    }),
  );
  expect(
    planningOf("{canary: {weights: [10]}}", { more: "sessionAffinity: {},", table: { ...table, destinations } }),
  ).toMatchObject({ kind: "refused", error: { code: "KIR2040", exitStatus: 2 } });
});

test("additions gather step by step, one mirror takes the place of another, and finish ends them", () => {
  const { steps } = planOf(
    `{steps: [${staff}, ${beta}, {mirror: {percent: 5}}, {mirror: {percent: 50}}, {mirror: {percent: 0}}, {switch: {}}]}`,
    { more: "sessionAffinity: {}," },
  );
  const after = (done: number) =>
    additionsAfter({ steps }, done).map((each) =>
      each.kind === "preview" ? each.name : each.kind === "mirror" ? each.percent : each.kind,
    );
  expect([0, 1, 2, 3, 4, 5, 6, 7, 8].map(after)).toEqual([
    [],
    ["affinity"],
    ["affinity", "staff"],
    ["affinity", "staff", "beta"],
    ["affinity", "staff", "beta", 5],
    ["affinity", "staff", "beta", 50],
    ["affinity", "staff", "beta"],
    ["affinity", "staff", "beta"],
    [],
  ]);
});

test("of two releases of one VirtualService the newer counts, and one that was stopped keeps what it has until then", () => {
  const stopped = placed(staff, { name: "old" }, { kind: "aborted", step: 1, reason: "stopped by ann" });
  const elsewhere = { name: "other", routes: "{virtualService: api}" };
  const other = placed(beta, elsewhere, { kind: "holding", step: 1, untilMs: null });
  expect(collectAdditions([stopped, other]).map(({ release }) => release)).toEqual(["shop/old", "shop/other"]);
  const newer = placed(beta, { name: "new" }, { kind: "planned" });
  expect(collectAdditions([stopped, other, newer]).map(({ release }) => release)).toEqual(["shop/other"]);
  const back = placed(staff, { name: "old" }, { kind: "rolledBack", step: 1 });
  expect(collectAdditions([back])).toEqual([]);
});

test("a rule or a version that is gone under a preview is told", () => {
  const plan = planOf(`{steps: [${staff}, {hold: {}}]}`);
  const lost = (table: RouteTable, step: number) =>
    findLostAddition(plan, {
      step,
      rules: buildMovableRules(table, { current: new Map(), services: new Set(["shop/web"]) }),
    });
  expect(lost(tableOf(), 1)).toBeUndefined();
  expect(lost(tableOf(["everybody"]), 0)).toBeUndefined();
  expect(lost(tableOf(["everybody"]), 1)).toBe(
    "the rule shop/web/public, which has the preview staff, is no longer there",
  );
  const onlyBlue = sketchTable([{ name: "shop/web", rules: [{ name: "public", arms: { "app/blue": 100 } }] }]);
  expect(lost(onlyBlue, 1)).toBe(`the rule shop/web/public, which has the preview staff, no longer leads to ${green}`);
});
