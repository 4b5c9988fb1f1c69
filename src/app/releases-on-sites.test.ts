import { expect, test, vi } from "vitest";
import { ModelJournal } from "../../test/model/model-journal.ts";
import { sketchTable } from "../../test/route-table.fixture.ts";
import { mergeTables, qualifyTable } from "../core/routes/qualify-table.ts";
import { splitsOf, weightsOf } from "../core/routes/weights.ts";
import { createSystemClock } from "../engine/clock.ts";
import { createEngine } from "../engine/engine.ts";
import { RecordingTarget } from "../targets/recording.ts";
import { SitesTarget } from "../targets/sites.ts";
import { MeshReleases } from "./releases.ts";

const local = sketchTable([{ name: "shop/web", rules: [{ arms: { "app/blue": 100 }, idle: ["app/green"] }] }]);
const splits = new Map([...splitsOf(local)].map(([id, split]) => [id, weightsOf(split)]));
const contexts = ["east", "west"];
const table = mergeTables(contexts.map((context) => qualifyTable(local, context)));
const clock = createSystemClock();
const green = "outbound|80|green|app.shop.svc.cluster.local";

/** Two clusters with one engine and one journal. */
class TwoSites implements AsyncDisposable {
  readonly targets = contexts.map((name) => new RecordingTarget({ clock, splits, name }));
  readonly releases: MeshReleases;

  constructor() {
    const target = new SitesTarget(new Map(this.targets.map((each) => [each.name, each])));
    const engine = createEngine({ journal: new ModelJournal(), target, clock, settleMs: 1, applyTimeoutMs: 50 });
    const current = {
      table,
      placements: () => engine.placements(),
      services: () => [],
      sites: { contexts, findDestinationRule: () => undefined },
    };
    this.releases = new MeshReleases({
      mesh: { current, engine, models: { defaultNamespace: "shop" } },
      move: async (build) => {
        const plan = build();
        return plan === undefined ? undefined : await engine.move(plan, () => {});
      },
      lay: async () => {},
      sources: { counters: async () => undefined, ask: async () => ({ verdict: "unknown", detail: "nobody" }) },
      readyEndpoints: () => ({}),
      live: { observe: (ids) => target.observe(ids), latencies: async () => new Map(), lastSample: () => undefined },
      onChange: () => {},
      onDefect: (error) => {
        throw error;
      },
    });
  }

  start(order: string): void {
    const sites = `{contexts: [east, west], order: ${order}}`;
    const strategy = "{steps: [{weight: 20}, {hold: {}}, {switch: {}}]}";
    const spec = `{routes: [{virtualService: web}], to: green, strategy: ${strategy}, sites: ${sites}}`;
    const metadata = "{name: r, namespace: shop}";
    const text = `{apiVersion: kirikae.dev/v1alpha1, kind: Release, metadata: ${metadata}, spec: ${spec}}`;
    this.releases.start({ path: "r.yaml", text, actor: "ann" });
  }

  order(kind: "promote" | "rollback" | "retry"): void {
    const command = kind === "promote" ? ({ kind, full: false } as const) : { kind };
    this.releases.order("shop/r", { command, actor: "ann" });
  }

  /** Waits until it does this at this step, counted from 1, and says how much green has in east and west. */
  async until(phase: string, step: number | null): Promise<readonly (number | undefined)[]> {
    await vi.waitFor(() => expect(this.releases.get("shop/r")).toMatchObject({ phase, step }), 5_000);
    return this.targets.map((target) => target.weights()[0]?.[1][green]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.releases[Symbol.asyncDispose]();
  }
}

test("sites that move one after the other wait after each, and go back together", async () => {
  await using sites = new TwoSites();
  sites.start("oneAfterTheOther");
  expect(await sites.until("holding", 2)).toEqual([20, 0]);
  sites.order("promote");
  expect(await sites.until("holding", 4)).toEqual([20, 20]);
  sites.order("promote");
  expect(await sites.until("done", null)).toEqual([100, 100]);
  sites.order("rollback");
  expect(await sites.until("rolledBack", null)).toEqual([0, 0]);
  sites.order("rollback");
  expect(await sites.until("done", null)).toEqual([100, 100]);
});

test("a site that fails in the middle leaves the one before as it was, and can be tried again or taken back", async () => {
  await using sites = new TwoSites();
  sites.start("oneAfterTheOther");
  await sites.until("holding", 2);
  sites.targets[1]?.behave({ kind: "reject", message: "no" });
  sites.order("promote");
  expect(await sites.until("failed", 3)).toEqual([20, 0]);
  sites.order("retry");
  expect(await sites.until("holding", 4)).toEqual([20, 20]);
  sites.order("rollback");
  expect(await sites.until("rolledBack", 4)).toEqual([0, 0]);
});

test("sites that move together do, or none does", async () => {
  await using sites = new TwoSites();
  sites.targets[1]?.behave({ kind: "partial" });
  sites.start("together");
  expect(await sites.until("failed", 1)).toEqual([0, 0]);
  sites.order("retry");
  expect(await sites.until("holding", 2)).toEqual([20, 20]);
});
