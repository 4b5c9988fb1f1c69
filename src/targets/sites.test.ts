import { expect, test } from "vitest";
import { ModelJournal } from "../../test/model/model-journal.ts";
import { sketchTable } from "../../test/route-table.fixture.ts";
import type { ReleaseManifest } from "../core/manifest/manifest.ts";
import { parseManifests } from "../core/manifest/parse-manifests.ts";
import { combineMoves } from "../core/release/move/combine-moves.ts";
import type { MovePlan } from "../core/release/move/move.ts";
import { planRelease, type ReleasePlan, type ReleasePlanning } from "../core/release/plan/plan-release.ts";
import { mergeTables, qualifyTable } from "../core/routes/qualify-table.ts";
import { splitsOf, weightsOf } from "../core/routes/weights.ts";
import { createSystemClock } from "../engine/clock.ts";
import { createEngine, type Engine } from "../engine/engine.ts";
import { RecordingTarget } from "./recording.ts";
import { SitesTarget } from "./sites.ts";

const local = sketchTable([
  { name: "shop/web", rules: [{ name: "public", arms: { "app/blue": 100 }, idle: ["app/green"] }] },
  { name: "shop/root", rules: [{ name: "api", arms: { "api/blue": 100 }, idle: ["api/green"] }] },
]);
const contexts = ["east", "west"] as const;
const table = mergeTables(contexts.map((context) => qualifyTable(local, context)));
const splits = new Map([...splitsOf(local)].map(([id, split]) => [id, weightsOf(split)]));
const clock = createSystemClock();
const blue = "outbound|80|blue|app.shop.svc.cluster.local";
const green = "outbound|80|green|app.shop.svc.cluster.local";

class Bench {
  readonly east = new RecordingTarget({ clock, splits, name: "gw-e" });
  readonly west = new RecordingTarget({ clock, splits, name: "gw-w" });
  readonly engine: Engine = createEngine({
    journal: new ModelJournal(),
    target: new SitesTarget(
      new Map([
        ["east", this.east],
        ["west", this.west],
      ]),
    ),
    clock,
    settleMs: 1,
    applyTimeoutMs: 30,
  });

  live(): readonly unknown[] {
    return [this.east, this.west].map((site) => new Map(site.weights()).get("shop/web/public")?.[green]);
  }
}

function plan(more: string, known: readonly string[] = contexts): ReleasePlanning {
  const spec = `{routes: [{virtualService: web}], to: green, ${more}}`;
  const text = `{apiVersion: kirikae.dev/v1alpha1, kind: Release, metadata: {name: r, namespace: shop}, spec: ${spec}}`;
  const { manifests } = parseManifests([{ path: "r.yaml", text }], { defaultNamespace: "shop" });
  const release = manifests.find((manifest): manifest is ReleaseManifest => manifest.kind === "Release");
  if (release === undefined) throw new Error(`No Release in ${text}`);
  const sites = { contexts: known, findDestinationRule: () => ({ host: "app.shop.svc.cluster.local", subsets: [] }) };
  return planRelease({ table, current: new Map(), release, actor: "ann", sites });
}

function planned(more: string): ReleasePlan {
  const planning = plan(more);
  if (planning.kind === "refused") throw planning.error;
  return planning.plan;
}

function moveOf(release: ReleasePlan, index: number): MovePlan {
  const step = release.steps[index];
  const [first, ...others] = step !== undefined && "moves" in step ? step.moves : [];
  if (first === undefined) throw new Error(`Step ${index} moves nothing.`);
  return combineMoves([first, ...others]);
}

const together = "sites: {contexts: [east, west], order: together}, strategy: {blueGreen: {}}";

test("one step moves all sites, and each is asked for its own names", async () => {
  const bench = new Bench();
  const move = moveOf(planned(together), 0);
  expect(move.changes.map(({ split }) => split)).toEqual(["east:shop/web/public", "west:shop/web/public"]);
  const result = await bench.engine.move(move, () => {});
  expect(result).toMatchObject({ ok: true, from: "blue", to: "green" });
  expect(result.proxies.map(({ node }) => node)).toEqual(["east/gw-e", "west/gw-w"]);
  expect(bench.live()).toEqual([100, 100]);
});

test("a site that fails takes the others back with it", async () => {
  const bench = new Bench();
  bench.west.behave({ kind: "reject", message: "no such cluster" });
  const result = await bench.engine.move(moveOf(planned(together), 0), () => {});
  expect(result).toMatchObject({ outcome: "restored", message: "west/gw-w refused weights: no such cluster" });
  expect(bench.live()).toEqual([0, 0]);
});

test("a site that nobody can ask leaves the move stuck, with the others back where they were", async () => {
  const bench = new Bench();
  bench.west.setVisible(false);
  const result = await bench.engine.move(moveOf(planned(together), 0), () => {});
  expect(result.outcome).toBe("stuck");
  expect(bench.live()).toEqual([0, 0]);
});

test("what one site waits for is said with its name", async () => {
  const bench = new Bench();
  bench.west.behave({ kind: "unreachable", proxy: "gateway-7f9" });
  const texts: string[] = [];
  await bench.engine.move(moveOf(planned(together), 0), (one) => {
    if (one.kind === "waiting") texts.push(one.text);
  });
  expect(texts).toEqual(["west: 1 of 2 proxies confirmed; gateway-7f9 unreachable"]);
});

test("one after the other, each site has a step of its own and what is waited for after it", async () => {
  const release = planned(
    "sites: {contexts: [west, east]}, strategy: {canary: {weights: [10], hold: 1m, approve: {}}}",
  );
  expect(release.steps.map((step) => ("site" in step ? `${step.kind} ${step.site}` : step.kind))).toEqual([
    "weight west",
    "hold",
    "approve",
    "weight east",
    "hold",
    "approve",
    "switch west",
    "switch east",
  ]);
  const bench = new Bench();
  await bench.engine.move(moveOf(release, 0), () => {});
  expect(bench.live()).toEqual([0, 10]);
});

test("what a release adds to routes is on all sites, and so are its subsets", () => {
  const preview = "preview: {match: [{headers: {x-staff: {exact: 'yes'}}}]}";
  const subsets = "subsets: [{destinationRule: app, add: [{name: green, labels: {version: green}}]}]";
  const { steps } = planned(`sites: {contexts: [east, west]}, ${subsets}, strategy: {blueGreen: {${preview}}}`);
  expect(steps[0]).toMatchObject({
    edits: [{ destinationRule: "east:shop/app" }, { destinationRule: "west:shop/app" }],
  });
  expect(steps[1]).toMatchObject({
    addition: { to: { "east:shop/web/public": `east:${green}`, "west:shop/web/public": `west:${green}` } },
  });
});

test("sites that are not here, or not named, are refused", () => {
  expect(plan("sites: {contexts: [north]}, strategy: {blueGreen: {}}")).toMatchObject({ error: { code: "KIR2064" } });
  expect(plan("strategy: {blueGreen: {}}")).toMatchObject({ error: { code: "KIR2065" } });
});

test("names say where they are, and a merged table still says what its versions are", () => {
  expect([...table.destinations.keys()].filter((id) => id.endsWith("|app.shop.svc.cluster.local"))).toEqual(
    expect.arrayContaining([`east:${blue}`, `west:${blue}`]),
  );
  expect(
    moveOf(planned(together), 0)
      .versions.map(({ name }) => name)
      .toSorted(),
  ).toEqual(["blue", "green"]);
});
