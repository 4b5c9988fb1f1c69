import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, vi } from "vitest";
import type { ReleaseStatus } from "../src/api/types.ts";
import { CurrentMesh, takeOverPlacements } from "../src/app/local/current-mesh.ts";
import { MoveTurns } from "../src/app/move-turns.ts";
import { MeshReleases } from "../src/app/releases.ts";
import { KirikaeError } from "../src/core/diagnostics/error.ts";
import type { MovePlan } from "../src/core/release/move/move.ts";
import type { RouteTable } from "../src/core/routes/route-table.ts";
import { splitsOf, weightsOf } from "../src/core/routes/weights.ts";
import { createSystemClock } from "../src/engine/clock.ts";
import type { AskJudge } from "../src/engine/ports.ts";
import { createEngine, type Engine } from "../src/engine/engine.ts";
import { type Journal, openJournal } from "../src/engine/journal.ts";
import type { CountersByDestination } from "../src/engine/release-check.ts";
import { ReleaseNotifier } from "../src/notify/release-notifier.ts";
import { RecordingTarget } from "../src/targets/recording.ts";
import { type RuleSketch, sketchTable } from "./route-table.fixture.ts";

const folder = mkdtempSync(join(tmpdir(), "kirikae-releases-"));
// Not after the tests of a file: the files that follow in the same process have this module as it is.
process.once("exit", () => rmSync(folder, { recursive: true, force: true }));

/** `web` with these rules, and `api`. */
function tableOf(webRules: readonly RuleSketch[]): RouteTable {
  return sketchTable([
    { name: "shop/web", rules: webRules },
    { name: "shop/api", rules },
  ]);
}

const rules: readonly RuleSketch[] = [{ name: "public", arms: { "app/blue": 100 }, idle: ["app/green"] }];
const table = tableOf(rules);
const declared = new Map([...splitsOf(table)].map(([id, split]) => [id, weightsOf(split)]));
const clock = createSystemClock();
export const web = "shop/web/public";
export const api = "shop/api/public";
export const bySubset = (subset: string): string => `outbound|80|${subset}|app.shop.svc.cluster.local`;

let journals = 0;

/** One process: an engine, and the releases on it. A second one with the file of the first is the next start. */
export class ReleaseProcess implements AsyncDisposable {
  readonly file: string;
  readonly target: RecordingTarget;
  readonly engine: Engine;
  readonly releases: MeshReleases;
  readonly current: CurrentMesh;
  readonly defects: unknown[] = [];
  /** What `log` was told. */
  readonly lines: string[] = [];
  readonly warnings: string[] = [];
  /** What the status said, whenever it changed. */
  readonly messages: string[] = [];
  /** Undefined is a proxy that cannot be asked. */
  counters: CountersByDestination | undefined = new Map();
  /** How many endpoints of each version are ready; those that are not named have one. */
  ready: Readonly<Record<string, number>> = {};
  /** Answers for every judge that is not a proxy. */
  ask: AskJudge = async () => ({ verdict: "pass", detail: "why not" });
  /** What is done while the counters are looked at, between a step's end and what is written of it. */
  look: () => Promise<void> = async () => {};
  /** What a move waits for before it is planned. */
  turn: Promise<void> = Promise.resolve();
  /** Whether proxies refuse what a release adds to the routes. */
  refusesToLay: boolean | "forward" = false;
  readonly #journal: Journal;

  constructor(
    before?: Pick<ReleaseProcess, "file" | "target">,
    wrap: (journal: Journal) => Journal = (journal) => journal,
  ) {
    journals += 1;
    this.file = before?.file ?? join(folder, `journal-${journals}.sqlite`);
    this.target = before?.target ?? new RecordingTarget({ clock, splits: declared });
    this.#journal = wrap(openJournal(this.file));
    this.engine = createEngine({
      journal: this.#journal,
      target: this.target,
      clock,
      settleMs: 1,
      applyTimeoutMs: 100,
    });
    const model = { mesh: { manifests: [] }, table, diagnostics: [] } as unknown as CurrentMesh["model"];
    this.current = new CurrentMesh(this.engine, { model, ports: new Map(), laid: [] });
    const turns = new MoveTurns({
      current: this.current,
      engine: this.engine,
      view: { showMove() {} },
      onEvent() {},
      onFinished() {},
    });
    this.releases = new MeshReleases({
      mesh: { current: this.current, engine: this.engine, models: { defaultNamespace: "default" } },
      move: async (build, onWait) => {
        await this.turn;
        return await turns.moveForRelease(build, onWait);
      },
      lay: async (build, _asks, options) => {
        await this.turn;
        const laid = build();
        const isPassedOver = this.refusesToLay === "forward" && options?.isWayBack === true;
        if (this.refusesToLay !== false && !isPassedOver)
          throw new KirikaeError("KIR2041", "refused to lay", { exitStatus: 1 });
        this.current.laid = laid;
      },
      findStripped: (additions) =>
        additions.every(({ release }) => this.current.laid.some((laid) => laid.release === release))
          ? undefined
          : "somebody has taken it out",
      look: () => this.look(),
      readyEndpoints: (ids) => Object.fromEntries([...ids].map((id) => [id, this.ready[id.split("|")[2] ?? ""] ?? 1])),
      sources: { counters: async () => this.counters, ask: (question, options) => this.ask(question, options) },
      live: {
        observe: (splits) => this.target.observe(splits),
        latencies: async () => new Map(),
        lastSample: () => undefined,
      },
      account: "builder",
      notifier: new ReleaseNotifier({
        print: (line) => this.lines.push(line),
        warn: (message) => this.warnings.push(message),
        readSecret: async () => "opensesame",
        timing: { retryAfterMs: [10], graceMs: 50 },
      }),
      onChange: ({ message }) => this.messages.push(message),
      onDefect: (error) => this.defects.push(error),
    });
  }

  /** `spec` is more of it, in the flow style of YAML: `maxFailed: 0`. */
  start(
    strategy: string,
    more: { readonly name?: string; readonly routes?: string; readonly spec?: string } = {},
  ): ReleaseStatus {
    const { name = "r", routes = "[{virtualService: web}, {virtualService: api}]" } = more;
    const rest = more.spec === undefined ? "" : `, ${more.spec}`;
    const spec = `{routes: ${routes}, to: green, strategy: ${strategy}${rest}}`;
    const text = `{apiVersion: kirikae.dev/v1alpha1, kind: Release, metadata: {name: ${name}, namespace: shop}, spec: ${spec}}`;
    return this.releases.start({ path: "r.yaml", text, actor: "ann" });
  }

  /** Moves `web` by hand, as if no release had it. */
  async shift(green: number): Promise<void> {
    await this.engine.move(this.planShift(green), () => {});
  }

  planShift(green: number): MovePlan {
    const where = { name: "web", namespace: "shop", route: undefined } as const;
    return this.current.plan({ verb: "shift", to: { green }, ...where, actor: "bob", reason: undefined });
  }

  /** Makes a manifest of `web` live that declares another share for green. */
  save(green: number): void {
    const changed = tableOf([{ name: "public", arms: { "app/blue": 100 - green, "app/green": green } }]);
    const taken = takeOverPlacements(this.engine, changed, "manifest");
    taken.record();
    this.current.model = { ...this.current.model, table: changed };
    this.releases.checkWeights();
  }

  order(
    kind: "promote" | "pause" | "resume" | "approve" | "retry" | "abort" | "rollback",
    actor = "ann",
  ): ReleaseStatus {
    const command = kind === "promote" ? ({ kind, full: false } as const) : { kind };
    return this.releases.order("shop/r", { command, actor });
  }

  /** Waits for a phase that nobody has to act for. */
  async until(phase: ReleaseStatus["phase"]): Promise<ReleaseStatus> {
    return vi.waitFor(() => {
      const status = this.releases.get("shop/r");
      if (status.phase !== phase) throw new Error(`${status.phase}: ${status.message}`);
      return status;
    }, 5_000);
  }

  async weightOfGreen(split: string): Promise<number> {
    const [seen] = await this.target.observe([split]);
    const weights = seen?.weights ?? {};
    const total = Object.values(weights).reduce((sum, weight) => sum + weight, 0);
    return (100 * (weights[bySubset("green")] ?? 0)) / total;
  }

  /** Ends without a look at what went wrong. */
  async die(): Promise<void> {
    await this.releases[Symbol.asyncDispose]();
    this.#journal[Symbol.dispose]();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.releases[Symbol.asyncDispose]();
    this.#journal[Symbol.dispose]();
    expect(this.defects).toEqual([]);
  }
}
