import { createReleaseMoves } from "../../src/app/release-moves.ts";
import { wakeAt } from "../../src/app/wake-at.ts";
import type { ReleaseManifest } from "../../src/core/manifest/manifest.ts";
import { parseManifests } from "../../src/core/manifest/parse-manifests.ts";
import { planMove } from "../../src/core/release/move/plan-move.ts";
import { planRelease } from "../../src/core/release/plan/plan-release.ts";
import { isOver } from "../../src/core/release/state/release-phase.ts";
import type { RouteTable } from "../../src/core/routes/route-table.ts";
import { splitsOf, weightsOf } from "../../src/core/routes/weights.ts";
import { createSystemClock } from "../../src/engine/clock.ts";
import { createEngine, type Engine } from "../../src/engine/engine.ts";
import type { Journal } from "../../src/engine/journal.ts";
import { openJournal } from "../../src/engine/journal.ts";
import { ReleaseRunner } from "../../src/engine/release-runner.ts";
import { RecordingTarget } from "../../src/targets/recording.ts";
import { sketchTable } from "../../test/route-table.fixture.ts";

/** The real engine on a real journal, with a target that takes no time: what is left is kirikae's own. */
export class ManyServices implements AsyncDisposable {
  readonly #table: RouteTable;
  readonly #journal: CountingJournal;
  readonly #engine: Engine;
  readonly #runner: ReleaseRunner;
  readonly #startedMs = performance.now();
  #underWay = 0;
  #allDone: () => void = () => undefined;

  constructor(journalFile: string, count: number) {
    this.#table = sketchTable(
      ["single", ...Array.from({ length: count }, (_, index) => `s${index}`)].map((name) => ({
        name: `bench/${name}`,
        rules: [{ name: "public", arms: { [`${name}/blue`]: 100 }, idle: [`${name}/green`] }],
      })),
    );
    const clock = createSystemClock();
    this.#journal = new CountingJournal(openJournal(journalFile));
    const splits = new Map([...splitsOf(this.#table)].map(([id, split]) => [id, weightsOf(split)]));
    const target = new RecordingTarget({ clock, splits });
    const engine = createEngine({ journal: this.#journal, target, clock, settleMs: 0, applyTimeoutMs: 1_000 });
    this.#engine = engine;
    this.#runner = new ReleaseRunner({
      journal: engine,
      clock,
      wakeAt,
      onChange: ({ state }) => {
        if (!isOver(state.phase)) return;
        this.#underWay -= 1;
        if (this.#underWay === 0) this.#allDone();
      },
      onDefect: (error) => {
        throw error;
      },
      host: {
        move: async (build) => {
          const plan = build();
          return plan === undefined ? undefined : await engine.move(plan, () => undefined);
        },
        lay: async (build) => void build(),
        counters: async (ids) => new Map([...ids].map((id) => [id, { requests: this.#requests(), errors: 0 }])),
        ask: () => Promise.reject(new Error("No judge is asked.")),
        ...createReleaseMoves({
          live: () => ({ table: this.#table, current: engine.placements() }),
          readyEndpoints: (ids) => Object.fromEntries([...ids].map((id) => [id, 1])),
        }),
      },
    });
  }

  get writes(): number {
    return this.#journal.writes;
  }

  /** Starts one release for each service, and resolves when all have come to their end. */
  async release(count: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    if (count === 0) return;
    this.#allDone = resolve;
    this.#underWay = count;
    for (let index = 0; index < count; index += 1) {
      const current = this.#engine.placements();
      const planning = planRelease({ table: this.#table, current, release: releaseOf(`s${index}`), actor: "bench" });
      if (planning.kind === "refused") throw planning.error;
      this.#runner.start(planning.plan, { actor: "bench", reason: null });
    }
    await promise;
  }

  /** Moves the service that no release has; from the call until the end. */
  async switchOnce(to: "blue" | "green"): Promise<number> {
    const calledMs = performance.now();
    const where = { name: "single", namespace: "bench", route: undefined, actor: "bench", reason: undefined } as const;
    const request = { verb: "switch", to: { [to]: 100 }, ...where } as const;
    const planning = planMove({ table: this.#table, current: this.#engine.placements(), request });
    if (planning.kind === "refused") throw planning.error;
    const result = await this.#engine.move(planning.plan, () => undefined);
    if (!result.ok) throw new Error(`A switch beside the releases ended ${result.outcome}: ${result.message ?? ""}`);
    return performance.now() - calledMs;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#runner[Symbol.asyncDispose]();
    this.#journal[Symbol.dispose]();
  }

  #requests(): number {
    return Math.floor((performance.now() - this.#startedMs) / 5);
  }
}

/** A canary in five parts with a check after each, as one that somebody waits for. */
function releaseOf(service: string): ReleaseManifest {
  const strategy = "{canary: {weights: [1, 5, 25, 50], check: {duration: 2s, minRequests: 20}}}";
  const spec = `{routes: [{virtualService: ${service}}], to: green, strategy: ${strategy}}`;
  const text = `{apiVersion: kirikae.dev/v1alpha1, kind: Release, metadata: {name: to-${service}, namespace: bench}, spec: ${spec}}`;
  const { manifests, diagnostics } = parseManifests([{ path: "r.yaml", text }], { defaultNamespace: "bench" });
  const release = manifests.find((manifest) => manifest.kind === "Release");
  if (release === undefined) throw new Error(JSON.stringify(diagnostics));
  return release;
}

class CountingJournal implements Journal {
  readonly #journal: Journal;
  writes = 0;

  constructor(journal: Journal) {
    this.#journal = journal;
  }

  append(record: Parameters<Journal["append"]>[0]): number {
    this.writes += 1;
    return this.#journal.append(record);
  }

  read(): ReturnType<Journal["read"]> {
    return this.#journal.read();
  }

  [Symbol.dispose](): void {
    this.#journal[Symbol.dispose]();
  }
}
