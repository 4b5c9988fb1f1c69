import { describe, expect, test } from "vitest";
import { sketchTable } from "../../../../test/route-table.fixture.ts";
import { expandStrategy } from "../plan/expand-strategy.ts";
import { planRelease } from "../plan/plan-release.ts";
import { parseManifests } from "../../manifest/parse-manifests.ts";
import type { ReleaseManifest } from "../../manifest/manifest.ts";
import { describeEdits, describeUndo, type SubsetDefinition } from "./subset-edit.ts";

const blue = { name: "blue", labels: { version: "blue" }, trafficPolicy: { loadBalancer: { simple: "RANDOM" } } };
const green = { name: "green", labels: { version: "green" } };
const host = "app.shop.svc.cluster.local";
/** As it will be when green is there. */
const table = sketchTable([
  { name: "shop/web", rules: [{ name: "public", arms: { "app/blue": 100 }, idle: ["app/green"] }] },
]);

function release(more: string): ReleaseManifest {
  const spec = `{routes: [{virtualService: web}], to: green, ${more}}`;
  const text = `{apiVersion: kirikae.dev/v1alpha1, kind: Release, metadata: {name: r, namespace: shop}, spec: ${spec}}`;
  const { manifests } = parseManifests([{ path: "r.yaml", text }], { defaultNamespace: "shop" });
  const found = manifests.find(({ kind }) => kind === "Release");
  if (found?.kind !== "Release") throw new Error(`No Release in ${text}`);
  return found;
}

function plan(more: string, subsets: readonly SubsetDefinition[] = [blue]): ReturnType<typeof planRelease> {
  const sites = {
    contexts: ["prod"],
    findDestinationRule: (name: string) => (name === "shop/app" ? { host, subsets } : undefined),
  };
  return planRelease({ table, current: new Map(), release: release(more), actor: "ann", sites });
}

function codeOf(planning: ReturnType<typeof planRelease>): string | undefined {
  return planning.kind === "refused" ? planning.error.code : undefined;
}

const swap = "subsets: [{destinationRule: app, add: [{name: green, labels: {version: green}}], remove: [blue]}]";

test("what is added comes before the weights, and what is removed after the last, whole", () => {
  const planning = plan(`${swap}, strategy: {canary: {weights: [10], hold: 1m}}`);
  if (planning.kind === "refused") throw planning.error;
  const { steps } = planning.plan;
  expect(steps.map(({ kind }) => kind)).toEqual(["subsets", "weight", "hold", "switch", "subsets"]);
  expect([steps[0], steps[4]]).toEqual([
    { kind: "subsets", does: "add", edits: [{ destinationRule: "shop/app", add: [green], remove: [] }] },
    {
      kind: "subsets",
      does: "remove",
      edits: [{ destinationRule: "shop/app", add: [], remove: [blue], order: ["blue"] }],
    },
  ]);
});

test.each([
  ["{blueGreen: {bake: 5m, approve: {}}}", "approve, subsets, switch, bake, subsets"],
  ["{abTest: {preview: {match: [{headers: {x: {exact: abc}}}]}}}", "subsets, preview, switch, subsets, finish"],
  ["{steps: [{hold: 1m}, {weight: 10}, {finish: {}}, {switch: {}}]}", "hold, subsets, weight, finish, switch, subsets"],
])("%s gives %s", (strategy, steps) => {
  const { spec } = release(`${swap}, strategy: ${strategy}`);
  expect(
    expandStrategy(spec)
      .map(({ kind }) => kind)
      .join(", "),
  ).toBe(steps);
});

test("a subset that is there already as wanted is nobody's to remove on the way back", () => {
  const planning = plan(`${swap}, strategy: {blueGreen: {}}`, [blue, { ...green, trafficPolicy: {} }]);
  expect(planning).toMatchObject({ plan: { steps: [{ kind: "subsets", edits: [] }, {}, {}] } });
});

describe("refused is", () => {
  test.each([
    ["a DestinationRule that is not there", "subsets: [{destinationRule: other, remove: [blue]}]", "KIR2061"],
    ["the removal of a subset that is not there", "subsets: [{destinationRule: app, remove: [red]}]", "KIR2061"],
    [
      "another subset of that name",
      "subsets: [{destinationRule: app, add: [{name: blue, labels: {v: '2'}}]}]",
      "KIR2062",
    ],
  ])("%s", (_, subsets, code) => {
    expect(codeOf(plan(`${subsets}, strategy: {blueGreen: {}}`))).toBe(code);
  });

  test("the removal of a subset that the last weights still need", () => {
    const planning = plan("subsets: [{destinationRule: app, remove: [blue]}], strategy: {steps: [{weight: 90}]}");
    expect(codeOf(planning)).toBe("KIR2063");
    expect(planning).toMatchObject({ error: { message: expect.stringContaining("rule 0 of shop/web gives it 10 %") } });
  });

  test.each([
    "takeOver: [flagger]",
    "proof: {unreachable: goOn}",
    "whenDeleted: restore",
    swap,
    "sites: {contexts: [prod]}",
  ])("on a mesh of files: %s", (field) => {
    const given = release(`${field}, strategy: {blueGreen: {}}`);
    expect(codeOf(planRelease({ table, current: new Map(), release: given, actor: "ann" }))).toBe("KIR2060");
  });
});

test("how long a proof may take means something everywhere, and goes wherever the weights go", () => {
  const given = release("proof: {timeout: 5m}, strategy: {blueGreen: {}}");
  const proof = { unreachable: "wait", timeoutMs: 300_000 };
  const planning = planRelease({ table, current: new Map(), release: given, actor: "ann" });
  expect(planning).toMatchObject({ plan: { steps: [{ moves: [{ proof }] }] } });
});

test("edits are told with what undoes them", () => {
  const edits = [{ destinationRule: "shop/app", add: [green], remove: [blue] }];
  expect(`${describeEdits(edits)}; ${describeUndo(edits)}`).toBe(
    "adds subset green (version=green) to DestinationRule shop/app; removes subset blue from DestinationRule shop/app; undone by removing it and restoring it as it was",
  );
});
