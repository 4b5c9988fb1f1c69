import { isDeepStrictEqual } from "node:util";
import { createReleaseMoves } from "../../src/app/release-moves.ts";
import type { ReleaseManifest } from "../../src/core/manifest/manifest.ts";
import type { SubsetDefinition } from "../../src/core/release/subset/subset-edit.ts";
import { KirikaeError } from "../../src/core/diagnostics/error.ts";
import type { MovePlan, MoveRequest } from "../../src/core/release/move/move.ts";
import { planMove } from "../../src/core/release/move/plan-move.ts";
import { planRelease, releasedServices } from "../../src/core/release/plan/plan-release.ts";
import { reconcilePlacements } from "../../src/core/release/move/reconcile-placements.ts";
import { isOver } from "../../src/core/release/state/release-phase.ts";
import type { ReleaseCommand, ReleasePhase } from "../../src/core/release/state/release-state.ts";
import { isSameShare, totalWeight } from "../../src/core/release/move/split-weights.ts";
import type { OwnedAddition } from "../../src/core/routes/route-addition.ts";
import type { RouteTable, SplitId, SplitWeights } from "../../src/core/routes/route-table.ts";
import { splitsOf, weightsOf } from "../../src/core/routes/weights.ts";
import { createEngine, type Engine } from "../../src/engine/engine.ts";
import { foldJournal } from "../../src/engine/fold-journal.ts";
import type { StoredRelease } from "../../src/engine/fold-releases.ts";
import type { ReleaseHost, SubsetOrder, SubsetProof } from "../../src/engine/release-ports.ts";
import { ReleaseRunner } from "../../src/engine/release-runner.ts";
import { type Answers, countAnswers, judgeAnswers } from "./model-answers.ts";
import { ModelJournal } from "./model-journal.ts";
import { declaredTable, type KnownSubsets, parseModelRelease, type ServiceName } from "./model-releases.ts";
import { ModelSubsets } from "./model-subsets.ts";
import { VirtualClock } from "./virtual-clock.ts";
import { WatchedTarget } from "./watched-target.ts";

/** One process: it ends without a word, and nothing that it waits for comes back to it. */
interface ModelProcess {
  readonly engine: Engine;
  readonly runner: ReleaseRunner;
  isDead: boolean;
}

const startMs = Date.parse("2026-01-05T00:00:00Z");

/**
 * Releases carried out by the real engine and the real runner, on a target, a journal and a clock that do what they are
 * told. What must never be is gathered in `broken`.
 */
export class ReleaseWorld {
  readonly broken: string[] = [];
  readonly clock = new VirtualClock(startMs);
  readonly journal = new ModelJournal();
  readonly target: WatchedTarget;
  answers: Answers = "good";
  /** How many of the next changes of routes a proxy refuses. */
  layFailures = 0;
  readonly subsets = new ModelSubsets();
  /** What lies over the routes. */
  laid: readonly OwnedAddition[] = [];
  #declared: Readonly<Record<ServiceName, number>> = { web: 0, api: 0, pay: 0, other: 0 };
  #process: ModelProcess;
  #movesUnderWay = 0;
  /** What was live of each release's rules when it began, until somebody else has changed them. */
  readonly #origins = new Map<string, ReadonlyMap<SplitId, SplitWeights>>();
  /** What its DestinationRules had when each release began, until somebody else has changed them. */
  readonly #subsetOrigins = new Map<string, ReadonlyMap<ServiceName, readonly SubsetDefinition[]>>();
  /** Releases whose way back may lead to a subset that an older one has taken along when it went back over them. */
  readonly #overtaken = new Set<string>();
  /** What rules are to have that no release has ever owned. */
  readonly #untouched = new Map<SplitId, SplitWeights>();

  constructor() {
    const splits = new Map([...splitsOf(this.#table)].map(([id, split]) => [id, weightsOf(split)]));
    this.target = new WatchedTarget({ clock: this.clock, splits });
    for (const [id, weights] of splits) this.#untouched.set(id, weights);
    this.#process = this.#begin();
  }

  get #table(): RouteTable {
    return declaredTable(this.#declared, this.subsets.known);
  }

  get releases(): readonly StoredRelease[] {
    return this.#process.engine.releases();
  }

  async start(strategy: number, services: readonly ServiceName[]): Promise<void> {
    const release = parseModelRelease(strategy, services);
    const { engine, runner } = this.#process;
    await this.#try(() => {
      const current = engine.placements();
      const planning = planRelease({
        table: declaredTable(this.#declared, this.#withAdded(release)),
        current,
        release,
        actor: "ann",
        sites: { contexts: ["model"], findDestinationRule: (name) => this.subsets.find(name) },
      });
      if (planning.kind === "refused") throw planning.error;
      const { plan } = planning;
      runner.checkFree(plan);
      const owned = releasedServices(plan);
      if ([...owned].some((service) => engine.isMoving(service))) return;
      const { id } = runner.start(plan, { actor: "ann", reason: null });
      const splits = plan.steps
        .flatMap((step) => ("moves" in step ? step.moves : []))
        .flatMap(({ changes }) => changes);
      // Where a move has broken off, its own end says what the release has found.
      const unsure = new Set(engine.unfinished().flatMap(({ changes }) => changes.map(({ split }) => split)));
      const found = splits.filter(({ split }) => !unsure.has(split));
      this.#origins.set(id, new Map(found.map(({ split }) => [split, this.#expected(split)])));
      for (const { split } of splits) this.#untouched.delete(split);
      this.#subsetOrigins.set(id, new Map(services.map((service) => [service, this.subsets.of(service)])));
    });
  }

  /** Somebody makes or removes a subset, as far as that breaks nothing by itself. */
  meddle(does: "put" | "drop", { service, name }: { readonly service: ServiceName; readonly name: string }): void {
    if (this.#movesUnderWay > 0 || this.#process.engine.unfinished().length > 0) return;
    const live = this.#live();
    const isDone = does === "put" ? this.subsets.put(service, name) : this.subsets.drop(service, { name, live });
    if (isDone) this.#touchSubsets(service);
  }

  /** Somebody else changes them, so that no release can be held to what it found there. */
  #touchSubsets(service: ServiceName): void {
    for (const [id, origin] of this.#subsetOrigins) if (origin.has(service)) this.#subsetOrigins.delete(id);
  }

  /** The subsets there will be when a release has made its own. */
  #withAdded({ spec }: ReleaseManifest): KnownSubsets {
    const known = this.subsets.known;
    const added = (spec.subsets ?? []).map(({ destinationRule, add }) => [
      destinationRule,
      new Set([...known[destinationRule as ServiceName], ...add.map(({ name }) => name)]),
    ]);
    return { ...known, ...Object.fromEntries(added) };
  }

  /** @param index counts from the newest release */
  async command(index: number, command: ReleaseCommand, actor: string): Promise<void> {
    const release = this.releases.at(-1 - index);
    if (release === undefined) return;
    if ("despiteChanges" in command || command.kind === "set") this.#origins.delete(release.id);
    // An older release that goes back, or forward again, is somebody else to the newer one.
    if (index > 0) this.#forgetOthers(release);
    await this.#try(() => void this.#process.runner.command(release.id, command, { actor, reason: "because" }));
  }

  /** Somebody moves a service by hand, which a release that has it does not let them. */
  async moveByHand(service: ServiceName, green: number): Promise<void> {
    const { engine, runner } = this.#process;
    await this.#try(async () => {
      const request: MoveRequest = {
        verb: "shift",
        name: service,
        namespace: "shop",
        route: undefined,
        to: { green },
        actor: "bob",
        reason: undefined,
      };
      const planning = planMove({ table: this.#table, current: engine.placements(), request });
      if (planning.kind === "refused") throw planning.error;
      if (runner.active().some(({ plan }) => releasedServices(plan).has(`shop/${service}`))) return;
      for (const { split } of planning.plan.changes) this.#touch(split);
      // It may still be under way when the next event comes.
      void this.#move(engine, () => planning.plan).catch((error: unknown) => this.#noteDefect(error));
    });
  }

  /** A manifest with another share is saved. It waits for moves that are under way, as nothing else may run beside it. */
  async save(service: ServiceName, green: number): Promise<void> {
    if (this.#movesUnderWay > 0 || this.journal.failures > 0) return;
    const { engine, runner } = this.#process;
    if (engine.unfinished().length > 0) {
      await this.#passUntil(engine.recover());
    }
    if (this.#movesUnderWay > 0) return;
    const declared = { ...this.#declared, [service]: green };
    const table = declaredTable(declared, this.subsets.known);
    const { kept, overridden } = reconcilePlacements(table, engine.placed());
    const saved = [...splitsOf(table)].map(
      ([split, { arms }]) =>
        [
          split,
          kept.get(split) ?? Object.fromEntries(arms.map(({ destination, weight }) => [destination, weight])),
        ] as const,
    );
    // Whoever writes a rule for a subset that is not there has what they asked for.
    if (this.subsets.findLost(saved).length > 0) return;
    await this.#try(() => {
      for (const [split, weights] of saved) {
        const before = this.#expected(split);
        if (!isSameShare(before, weights)) this.#touch(split);
        this.target.overwrite(split, weights);
      }
      for (const override of overridden) engine.recordManifest(override, "manifest");
      this.#declared = declared;
      runner.checkWeights();
    });
  }

  get isDead(): boolean {
    return this.#process.isDead;
  }

  /** Lets the process end right after this write of the journal, counted from 1: nothing that it would do next is done. */
  dieAtWrite(count: number): void {
    this.journal.onWritten = (written) => {
      if (written !== count) return;
      this.#process.isDead = true;
      this.journal.failures = Number.POSITIVE_INFINITY;
    };
  }

  /** Kills the process, and starts the next one on what it has left. */
  async crash(): Promise<void> {
    this.#process.isDead = true;
    this.#movesUnderWay = 0;
    this.journal.failures = 0;
    // What a proxy was told last it has taken, or lost with the stream, when the next process speaks to it.
    await this.clock.advance(5_000);
    this.#process = this.#begin();
    const { engine, runner } = this.#process;
    this.#checkReplay();
    await this.#passUntil(engine.recover());
    runner.resume();
    await this.clock.settle();
  }

  /** Everything that can be well is well again, and there is time for all that goes on by itself. */
  async heal(): Promise<void> {
    this.target.dead.clear();
    this.target.setVisible(true);
    this.target.behave();
    this.journal.failures = 0;
    this.answers = "good";
    this.layFailures = 0;
    for (const service of this.subsets.heal()) this.#touchSubsets(service);
    await this.clock.advance(1_200_000);
    // The next move would do that first.
    await this.#passUntil(this.#process.engine.recover());
    this.#process.runner.checkWeights();
    await this.clock.advance(60_000);
  }

  /** Somebody wants everything back, wherever it is, which nothing may stand in the way of once all is well. */
  async takeBack(): Promise<void> {
    const active = this.#process.runner.active().map(({ id }) => id);
    const ended = this.releases
      .filter((release) => isOver(release.state.phase) && release.state.phase.kind !== "rolledBack")
      .filter((release) => this.#isNewest(release))
      .map(({ id }) => id);
    const left = [...active, ...ended];
    for (const id of left) {
      const command = { kind: "rollback", despiteChanges: true } as const;
      await this.#try(() => void this.#process.runner.command(id, command, { actor: "ann", reason: null }));
      await this.clock.advance(60_000);
    }
    for (const { id, state } of this.releases) {
      if (!left.includes(id) || state.phase.kind === "rolledBack" || this.#overtaken.has(id)) continue;
      this.broken.push(`${id} was to go back, and is ${JSON.stringify(state.phase)}`);
    }
  }

  /** What has to hold after every event. */
  check(): void {
    this.broken.push(...this.target.broken.splice(0), ...this.subsets.broken.splice(0));
    this.broken.push(...this.subsets.findLost(this.#live()));
    for (const [split, weights] of this.#live()) {
      if (totalWeight(weights) !== 100) this.broken.push(`${split} has ${JSON.stringify(weights)}, which is not 100`);
      const expected = this.#untouched.get(split);
      if (expected !== undefined && !isSameShare(expected, weights)) {
        this.broken.push(`${split} changed, and nobody has asked for that`);
      }
    }
  }

  /** What has to hold when all is well and nothing is left to be done. */
  checkEnd(): void {
    this.#checkReplay();
    const nowMs = this.clock.nowMs();
    for (const { id, state } of this.releases) {
      if (!isAtRest(state.phase, nowMs)) this.broken.push(`${id} is left ${JSON.stringify(state.phase)}`);
    }
    const over = new Set(
      this.releases.filter(({ state }) => state.phase.kind === "rolledBack").map(({ plan }) => plan),
    );
    for (const { release } of this.laid) {
      const newest = this.releases.findLast(({ plan }) => plan.release === release);
      if (newest !== undefined && over.has(newest.plan))
        this.broken.push(`${release} was rolled back, and left routes`);
    }
    const stuck = this.#stuckSplits();
    for (const [split, weights] of this.#live()) {
      if (stuck.has(split) || isSameShare(weights, this.#expected(split))) continue;
      this.broken.push(
        `${split} has ${JSON.stringify(weights)}, and the journal says ${JSON.stringify(this.#expected(split))}`,
      );
    }
    this.#checkReturns(stuck);
  }

  /** Subsets are again what a release had found, each with all of its settings. */
  #checkSubsets({ id, plan }: Pick<StoredRelease, "id" | "plan">): void {
    for (const [service, before] of this.#subsetOrigins.get(id) ?? []) {
      if (!plan.steps.some(({ kind }) => kind === "subsets")) continue;
      const now = this.subsets.of(service).toSorted(byName);
      if (isDeepStrictEqual(now, before.toSorted(byName))) continue;
      this.broken.push(`${id} was rolled back, and ${service} has the subsets ${JSON.stringify(now)}`);
    }
  }

  /** Whether none that began later has one of its services. */
  #isNewest({ id, plan }: Pick<StoredRelease, "id" | "plan">): boolean {
    const services = releasedServices(plan);
    const newest = this.releases.findLast((other) =>
      [...releasedServices(other.plan)].some((name) => services.has(name)),
    );
    return newest?.id === id;
  }

  /** A release that was rolled back has left what it found, unless somebody else has changed it since. */
  #checkReturns(stuck: ReadonlySet<SplitId>): void {
    for (const { id, plan, state } of this.releases) {
      if (state.phase.kind !== "rolledBack" || !this.#isNewest({ id, plan })) continue;
      this.#checkSubsets({ id, plan });
      for (const [split, before] of this.#origins.get(id) ?? []) {
        if (stuck.has(split) || isSameShare(before, this.#expected(split))) continue;
        this.broken.push(`${id} was rolled back, and ${split} is ${JSON.stringify(this.#expected(split))}`);
      }
    }
  }

  /** The last move that touched these is neither here nor there, which the history says; one that was refused touched nothing. */
  #stuckSplits(): ReadonlySet<SplitId> {
    const plans = new Map<string, MovePlan>();
    const last = new Map<SplitId, string>();
    for (const { record } of this.journal.read()) {
      if (record.type === "intent") plans.set(record.id, record.plan);
      if (record.type !== "outcome" || record.outcome === "refused") continue;
      for (const { split } of plans.get(record.id)?.changes ?? []) last.set(split, record.outcome);
    }
    return new Set([...last].filter(([, outcome]) => outcome === "stuck").map(([split]) => split));
  }

  /** The journal alone gives the same releases again. */
  #checkReplay(): void {
    const replayed = foldJournal(this.journal.read()).releases.all;
    if (!isDeepStrictEqual(JSON.parse(JSON.stringify(replayed)), JSON.parse(JSON.stringify(this.releases)))) {
      this.broken.push("the journal tells another story than the process that wrote it");
    }
  }

  #live(): readonly (readonly [SplitId, SplitWeights])[] {
    return this.target.weights();
  }

  #expected(split: SplitId): SplitWeights {
    const declared = splitsOf(this.#table).get(split);
    return this.#process.engine.placements().get(split) ?? (declared === undefined ? {} : weightsOf(declared));
  }

  #forgetOthers({ id, plan }: StoredRelease): void {
    const services = releasedServices(plan);
    for (const other of this.releases) {
      const isShared = [...releasedServices(other.plan)].some((name) => services.has(name));
      if (other.id === id || !isShared) continue;
      this.#origins.delete(other.id);
      if (plan.steps.some(({ kind }) => kind === "subsets")) this.#overtaken.add(other.id);
    }
  }

  /** Somebody else changes it, so that no release can be held to what it found there. */
  #touch(split: SplitId): void {
    this.#untouched.delete(split);
    for (const [id, origin] of this.#origins) if (origin.has(split)) this.#origins.delete(id);
  }

  #begin(): ModelProcess {
    const process: { isDead: boolean } = { isDead: false };
    const alive = <T>(promise: Promise<T>): Promise<T> =>
      promise.then((value) => (process.isDead ? new Promise<never>(() => {}) : value));
    const { clock, target } = this;
    const ownClock = {
      nowMs: () => clock.nowMs(),
      sleep: (durationMs: number) => alive(clock.sleep(durationMs)),
    };
    const engine = createEngine({
      journal: this.journal,
      target: {
        name: target.name,
        preflight: (plan) => alive(target.preflight(plan)),
        apply: (weights, options) => alive(target.apply(weights, options)),
        observe: (splits) => alive(target.observe(splits)),
        openLedger: (plan) => alive(target.openLedger(plan)),
      },
      clock: ownClock,
      settleMs: 500,
      applyTimeoutMs: 1_000,
    });
    const runner = new ReleaseRunner({
      journal: engine,
      host: this.#host(engine, alive),
      clock: ownClock,
      wakeAt: (atMs, wake) => clock.wakeAt(atMs, () => (process.isDead ? undefined : wake())),
      onChange: () => {},
      onDefect: (error) => this.#noteDefect(error),
    });
    return Object.assign(process, { engine, runner });
  }

  #host(engine: Engine, alive: <T>(promise: Promise<T>) => Promise<T>): ReleaseHost {
    return {
      editSubsets: (build) => alive(this.#editSubsets(build, alive)),
      move: (build) => this.#move(engine, build),
      lay: async (build) => this.#lay(build()),
      counters: async (destinations) => countAnswers(this.answers, { destinations, elapsedMs: this.clock.elapsedMs }),
      ask: async () => judgeAnswers(this.answers, this.clock.elapsedMs),
      ...createReleaseMoves({
        live: () => ({ table: this.#table, current: engine.placements() }),
        findDestinationRule: (name) => this.subsets.find(name),
        readyEndpoints: (ids) => Object.fromEntries([...ids].map((id) => [id, this.target.dead.has(id) ? 0 : 2])),
      }),
    };
  }

  /** One after the other, each in its time; the process may end, or a proxy refuse, between any two. */
  async #editSubsets(build: () => SubsetOrder, alive: <T>(promise: Promise<T>) => Promise<T>): Promise<SubsetProof> {
    this.#movesUnderWay += 1;
    try {
      for (const edit of build().edits) {
        await alive(this.clock.sleep(30));
        this.subsets.edit(edit, this.#live());
        await alive(this.clock.sleep(30));
        if (this.layFailures === 0) continue;
        this.layFailures -= 1;
        throw new KirikaeError("KIR2041", "The subsets are not proved.", { exitStatus: 1, hint: "Retry." });
      }
      return {};
    } finally {
      this.#movesUnderWay -= 1;
    }
  }

  #lay(additions: readonly OwnedAddition[]): void {
    if (this.layFailures > 0) {
      this.layFailures -= 1;
      throw new KirikaeError("KIR2041", "The routes of the release are not live.", { exitStatus: 1, hint: "Retry." });
    }
    this.laid = additions;
  }

  async #move(engine: Engine, build: () => MovePlan | undefined) {
    this.#movesUnderWay += 1;
    try {
      await engine.recover();
      const plan = build();
      return plan === undefined ? undefined : await engine.move(plan, () => {});
    } finally {
      this.#movesUnderWay -= 1;
    }
  }

  /** Lets time pass until the work has ended, however many moves broke off and however long proxies show nothing. */
  async #passUntil(work: Promise<unknown>): Promise<void> {
    const end = { isReached: false };
    const note = (): void => {
      end.isReached = true;
    };
    work.then(note, note);
    for (let seconds = 0; !end.isReached; seconds += 1) {
      if (seconds > 600) throw new Error("A recovery does not come to an end.");
      await this.clock.advance(1_000);
    }
    await work;
  }

  /** What people are refused is an answer; anything else that is thrown is a defect. */
  async #try(act: () => void | Promise<void>): Promise<void> {
    try {
      await act();
    } catch (error) {
      this.#noteDefect(error);
    }
    await this.clock.settle();
  }

  #noteDefect(error: unknown): void {
    if (!(error instanceof KirikaeError))
      this.broken.push(error instanceof Error ? (error.stack ?? "") : String(error));
  }
}

function byName(one: SubsetDefinition, other: SubsetDefinition): number {
  return one.name < other.name ? -1 : 1;
}

/** Ended, or waiting for a person or for a time that is still to come. */
function isAtRest(phase: ReleasePhase, nowMs: number): boolean {
  if (phase.kind === "holding") return phase.untilMs === null || phase.untilMs > nowMs;
  if (phase.kind === "frozen") return phase.untilMs > nowMs;
  return isOver(phase) || phase.kind === "paused" || phase.kind === "failed" || phase.kind === "awaiting";
}
