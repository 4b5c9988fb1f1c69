import { KirikaeError } from "../core/diagnostics/error.ts";
import { advanceRelease } from "../core/release/advance-release.ts";
import { findRelease, type ReleaseName } from "../core/release/find-release.ts";
import type { CheckProgress } from "../core/release/check-progress.ts";
import type { Check } from "../core/manifest/release.ts";
import { isSameShortage } from "../core/release/limit-return.ts";
import { movedDestinations } from "../core/release/moved-destinations.ts";
import type { MovePlan } from "../core/release/move.ts";
import { type PlannedStep, releasedServices, type ReleasePlan } from "../core/release/plan-release.ts";
import { describePhase, isBetweenMoves, isMoving, isOver, stepOf } from "../core/release/release-phase.ts";
import type { ReleaseCommand, ReleaseEffect, ReleaseEvent, ReleaseState } from "../core/release/release-state.ts";
import { weightsOfChanges } from "../core/release/weights-by-split.ts";
import type { OwnedAddition } from "../core/routes/route-addition.ts";
import { AdditionBook } from "./addition-book.ts";
import type { StoredRelease } from "./fold-releases.ts";
import type { Clock } from "./ports.ts";
import { type CheckSources, runCheck } from "./release-check.ts";
import { judgeMove, type StepOutcome } from "./judge-move.ts";
import { type CounterReading, TrafficMeter } from "./traffic-meter.ts";
import type { TrafficSpan } from "../core/release/traffic-span.ts";
import { isNotNow } from "./is-not-now.ts";
import { completeEvent } from "./complete-event.ts";
import { ReleaseLimits } from "./release-limits.ts";
import type { ReleaseMoves, ReturnPart } from "./release-moves.ts";
import { pendingEffect } from "./pending-effect.ts";
import type { MoveResult } from "./report.ts";
import { Turns } from "./turns.ts";
import { addSights, type StepWatcher } from "./watch-step.ts";

/** Where releases are written down. Both throw KIR2023 when they cannot be, and then nothing has happened. */
export interface ReleaseJournal {
  releases(): readonly StoredRelease[];
  recordRelease(release: Pick<StoredRelease, "plan" | "actor" | "reason">): StoredRelease;
  recordReleaseEvent(id: string, event: ReleaseEvent, traffic?: TrafficSpan): StoredRelease;
}

/** What carries a release out. Rejections and throws are failures of the step, with their message as the reason. */
export interface ReleaseHost extends CheckSources, ReleaseMoves {
  /** Builds the plan when its turn has come, and carries it out; undefined where there is none. */
  move(build: () => MovePlan | undefined): Promise<MoveResult | undefined>;
  /** Makes these additions, and no others, live on every proxy when its turn has come; rejects where that fails. */
  lay(build: () => readonly OwnedAddition[]): Promise<void>;
  /** Looks at the counters now and hands them to `addReading`; resolves soon in any case, and never rejects. */
  look?(): Promise<void>;
  readonly watcher?: StepWatcher;
}

export interface RunnerOptions {
  readonly journal: ReleaseJournal;
  readonly host: ReleaseHost;
  readonly clock: Clock;
  /** The account of the system that this runs as, which stands behind everybody who asks; undefined is not known. */
  readonly account?: string | undefined;
  /** Calls back at a time, in milliseconds since the epoch, unless it is disposed before. */
  readonly wakeAt: (atMs: number, wake: () => void) => Disposable;
  onChange(release: StoredRelease, change: ReleaseChange): void;
  /** Hears of what keeps a release from going on. Where it is the journal, it is written to again and again. */
  onDefect(error: unknown): void;
}

/** What has led to the state that a release is in now. */
export interface ReleaseChange {
  readonly before: ReleaseState;
  readonly event: ReleaseEvent;
}

const writeAgainMs = 2_000;

/** How long a way back that waits for endpoints lets pass before it looks again. */
const looksAgainMs = 1_000;

interface Person {
  readonly actor: string;
  readonly reason: string | null;
}

/**
 * Runs releases side by side. Each event is in the journal before anything follows from it, so that a release goes on
 * after a crash where its events end; a step that was under way is planned and proved anew.
 */
export class ReleaseRunner implements AsyncDisposable {
  readonly #options: RunnerOptions;
  readonly #moves = new Map<string, Promise<void>>();
  /** What ends by itself unless the release goes on before: holds and checks. */
  readonly #timers = new Map<string, Disposable>();
  /** What happened to a release and could not be written down yet. */
  readonly #stalled = new Map<string, ReleaseEvent>();
  readonly #progress = new Map<string, CheckProgress>();
  readonly #meter = new TrafficMeter();
  readonly #additions = new AdditionBook();
  readonly #limits: ReleaseLimits;
  readonly #turns: Turns;
  #isClosed = false;

  constructor(options: RunnerOptions) {
    this.#options = options;
    this.#turns = new Turns(options.clock);
    this.#limits = new ReleaseLimits({
      ...options,
      canTake: (id) => !this.#stalled.has(id),
      take: (id, event) => void this.#take(id, event),
    });
  }

  /** Takes up what an earlier process left. Call it when the mesh serves and broken moves have ended. */
  resume(): void {
    for (const release of this.#options.journal.releases()) {
      this.#meter.follow(release);
      this.#takeUp(release);
    }
  }

  /** Counts what the versions of all releases answer; call it with every look at the proxies' counters. */
  addReading(reading: CounterReading): void {
    this.#meter.add(reading);
  }

  /** What the versions of a release have answered since its last event; undefined where it is over, or nothing is known. */
  trafficNow(id: string): TrafficSpan | undefined {
    return this.#meter.read(id);
  }

  /** Stops releases that wait while somebody else has changed their weights. */
  checkWeights(): void {
    for (const release of this.active()) this.#checkWeights(release);
  }

  /** Whether something has happened to it that the journal could not take yet. */
  isStalled(id: string): boolean {
    return this.#stalled.has(id);
  }

  /** How the check that a release is in is going; undefined while there is none. */
  progress(id: string): CheckProgress | undefined {
    return this.#progress.get(id);
  }

  /** Throws KIR2034 while another release has one of its routes. */
  start(plan: ReleasePlan, { actor, reason }: Person): StoredRelease {
    this.checkFree(plan);
    const recorded = this.#options.journal.recordRelease({ plan, actor, reason });
    const { id } = recorded;
    this.#meter.follow(recorded);
    // From here on it is written down, so it goes on by itself whatever becomes of the next write.
    this.#begin(recorded);
    return this.#get(id);
  }

  /** Throws KIR2034 while another release has one of its routes, or its name. */
  checkFree(plan: ReleasePlan): void {
    const wanted = releasedServices(plan);
    const other = this.active().find(
      (release) =>
        release.plan.release === plan.release || [...wanted].some((name) => releasedServices(release.plan).has(name)),
    );
    if (other === undefined) return;
    const phase = describePhase(other.state.phase);
    throw new KirikaeError("KIR2034", `${other.plan.release} is ${phase} and has these routes.`, {
      exitStatus: 1,
      hint: "Let it end, abort it or roll it back first.",
    });
  }

  /** Throws KIR2034 for what the release cannot do now, and KIR2023 while the journal cannot be written. */
  command(id: string, command: ReleaseCommand, person: Person): StoredRelease {
    const unwritten = this.#stalled.get(id);
    if (unwritten !== undefined) this.#take(id, unwritten);
    const checked = this.#checkCommand(this.#get(id), { command, actor: person.actor });
    this.#checkWeights(this.#take(id, { ...checked, ...person, atMs: this.#options.clock.nowMs() }));
    return this.#get(id);
  }

  /** The newest of that name. Throws KIR2035 and KIR2036. */
  find(name: ReleaseName): StoredRelease {
    return findRelease(this.#options.journal.releases(), name, ({ plan }) => plan.release);
  }

  /** Those that have not ended. */
  active(): readonly StoredRelease[] {
    return this.#options.journal.releases().filter(({ state }) => !isOver(state.phase));
  }

  /** What is to be laid over the routes, for all releases together. */
  additions(): readonly OwnedAddition[] {
    return this.#additions.collect(this.#options.journal.releases());
  }

  /** Resolves when no release moves weights. */
  async idle(): Promise<void> {
    while (this.#moves.size > 0) await Promise.allSettled(this.#moves.values());
  }

  /** Lets moves that are under way end, and begins none. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    this.#limits[Symbol.dispose]();
    for (const timer of this.#timers.values()) timer[Symbol.dispose]();
    this.#timers.clear();
    await this.idle();
  }

  /** Throws for what the table of phases alone cannot know: whose the weights are by now, and what a set would move. */
  #checkCommand(
    release: StoredRelease,
    { command, actor }: { readonly command: ReleaseCommand; readonly actor: string },
  ): ReleaseCommand {
    const { phase } = release.state;
    const { host } = this.#options;
    if (isMoving(phase)) return command;
    if (command.kind === "rollback") {
      // Going back from its end, it takes its routes again, which may be another one's by now.
      if (isOver(phase)) this.checkFree(release.plan);
      const conflict = command.despiteChanges === true ? undefined : host.findConflict(release);
      if (conflict !== undefined) throw conflict;
      return phase.kind === "rolledBack" ? { ...command, undoes: true } : command;
    }
    if (command.kind !== "set" || isOver(phase)) return command;
    const { raises } = host.planSet(release, { shares: command.shares, actor });
    return { kind: "set", shares: command.shares, ...(raises ? { raises } : {}) };
  }

  #checkWeights(release: StoredRelease): void {
    const { id, state } = release;
    const { phase } = state;
    if (!isBetweenMoves(phase)) return;
    const reason = this.#options.host.findOverruling(release, stepOf(phase));
    if (reason !== undefined) this.#goOn(id, { kind: "overruled", reason, atMs: this.#options.clock.nowMs() });
  }

  #takeUp(release: StoredRelease): void {
    if (release.state.phase.kind === "planned") {
      this.#begin(release);
      return;
    }
    this.#limits.follow(release);
    const effect = pendingEffect(release);
    if (effect !== undefined) this.#carryOut(release, effect);
    this.#checkWeights(release);
  }

  #begin({ id, actor, plan }: StoredRelease): void {
    const { host, clock } = this.#options;
    const ready = host.readyEndpoints(movedDestinations(plan));
    this.#goOn(id, { kind: "start", atMs: clock.nowMs(), startedBy: actor, ready });
  }

  #take(id: string, happened: ReleaseEvent): StoredRelease {
    const before = this.#get(id);
    const event = completeEvent(happened, { plan: before.plan, account: this.#options.account });
    const advanced = advanceRelease(before.plan, before.state, event);
    if (advanced.kind === "notNow") {
      throw new KirikaeError(
        "KIR2034",
        `${before.plan.release} cannot ${event.kind === "rollback" ? "be rolled back" : event.kind} now, because ${advanced.because}.`,
        {
          exitStatus: 1,
          hint: "`kirikae list` shows what each release is doing.",
        },
      );
    }
    const release = this.#options.journal.recordReleaseEvent(id, event, this.#meter.read(id));
    this.#meter.follow(release);
    this.#stalled.delete(id);
    if (event.kind === "moved" || event.kind === "moveFailed") this.#additions.settle(id);
    this.#timers.get(id)?.[Symbol.dispose]();
    this.#timers.delete(id);
    this.#limits.follow(release);
    this.#options.onChange(release, { before: before.state, event });
    if (advanced.effect !== undefined) this.#carryOut(release, advanced.effect);
    return release;
  }

  #carryOut({ id, plan }: StoredRelease, effect: ReleaseEffect): void {
    if (this.#isClosed) return;
    const { host } = this.#options;
    switch (effect.kind) {
      case "wakeAt":
        this.#wakeAt(id, effect.atMs, () => this.#goOn(id, { kind: "timeUp", atMs: this.#options.clock.nowMs() }));
        return;
      case "judge":
        this.#timers.set(id, this.#judge(id, plan, effect.step));
        return;
      case "moveForward":
        // A release of before, which was stopped, may have left something over these routes.
        this.#run(id, {
          build: () => host.planStep(this.#get(id), effect.step),
          before: () => this.#lay(),
          isForward: true,
        });
        return;
      case "layAdditions":
        this.#run(id, { before: () => this.#layFor(id, effect.step + 1) });
        return;
      case "moveBack":
        this.#moveBack(id, effect.notBeforeMs);
        return;
      case "setWeights":
        this.#setWeights(id, effect);
        return;
      case "redo":
        this.#redo(id, effect);
    }
  }

  /** A part that is under way ends first; what it leaves is gone on with then. */
  #moveBack(id: string, notBeforeMs: number): void {
    const begin = (): void => {
      if (!this.#moves.has(id)) this.#run(id, this.#partOfWayBack(id));
    };
    if (notBeforeMs <= this.#options.clock.nowMs()) begin();
    else this.#wakeAt(id, notBeforeMs, begin);
  }

  /** What the weights were is written down before the first of them goes back. */
  #partOfWayBack(id: string): StepWork {
    const { host, clock } = this.#options;
    let part: ReturnPart | undefined;
    return {
      build: () => {
        const release = this.#get(id);
        const { phase } = release.state;
        // It may have been ended while this waited for its turn.
        if (phase.kind !== "rollingBack") return undefined;
        part = host.planReturn(release, phase);
        const { move, waits, was } = part;
        if (move !== undefined || waits.length === 0) {
          const gives = weightsOfChanges(move?.changes ?? [], "after");
          this.#take(id, { kind: "turned", atMs: clock.nowMs(), was, gives });
        }
        return move;
      },
      after: async () => {
        if (part?.waits.length === 0) await this.#layFor(id, 0);
      },
      conclude: async (outcome) => {
        if (outcome.kind === "moveFailed") return outcome;
        if (part === undefined) return undefined;
        const { move, waits } = part;
        if (waits.length === 0) return outcome;
        const { phase } = this.#get(id).state;
        if (move !== undefined || phase.kind !== "rollingBack" || !isSameShortage(waits, phase.waits ?? [])) {
          return { ...outcome, kind: "partlyBack", waits, left: weightsOfChanges(move?.changes ?? [], "after") };
        }
        // Nothing has changed, so there is nothing to write down.
        this.#moveBack(id, phase.isNow === true ? 0 : clock.nowMs() + looksAgainMs);
        return undefined;
      },
    };
  }

  #setWeights(id: string, effect: Extract<ReleaseEffect, { kind: "setWeights" }>): void {
    let move: MovePlan | undefined;
    this.#run(id, {
      build: () => (move = this.#options.host.planSet(this.#get(id), effect).move),
      conclude: async (outcome) =>
        outcome.kind === "moved" ? { ...outcome, left: weightsOfChanges(move?.changes ?? [], "after") } : outcome,
    });
  }

  /** What was laid over the routes comes first, as it went last. */
  #redo(id: string, { step, actor }: Extract<ReleaseEffect, { kind: "redo" }>): void {
    this.#run(id, {
      before: () => this.#layFor(id, step),
      build: () => this.#options.host.planRedo(this.#get(id), actor),
      conclude: async (outcome) => {
        if (outcome.kind === "moveFailed") await this.#layFor(id, 0).catch((error) => this.#options.onDefect(error));
        return outcome;
      },
    });
  }

  /** Lays what so many steps of a release leave in place. At the end of the way back that is nothing. */
  async #layFor(id: string, stepsDone: number): Promise<void> {
    this.#additions.expect(id, stepsDone);
    await this.#lay();
  }

  #lay(): Promise<void> {
    return this.#options.host.lay(() => this.additions());
  }

  #wakeAt(id: string, atMs: number, wake: () => void): void {
    this.#timers.set(id, this.#options.wakeAt(atMs, wake));
  }

  #judge(id: string, plan: ReleasePlan, step: number): Disposable {
    const check = checkOf(plan.steps[step]);
    if (check === undefined) throw new Error(`Step ${step} of ${plan.release} judges nothing.`);
    const stop = new AbortController();
    const { host, clock } = this.#options;
    const follow = async (): Promise<void> => {
      try {
        const onProgress = (progress: CheckProgress): void => void this.#progress.set(id, progress);
        const outcome = await runCheck({ plan, check, clock, sources: host, signal: stop.signal, onProgress });
        // What was answered until here belongs to this step; a version that fails is not kept for a count.
        if (outcome !== undefined && outcome.verdict !== "fail") await host.look?.();
        if (outcome !== undefined && outcome.verdict !== "fail") await this.#turns.next();
        // A command may have come between the judgement and now.
        if (outcome !== undefined && !stop.signal.aborted)
          this.#goOn(id, { kind: "judged", atMs: clock.nowMs(), ...outcome });
      } catch (error) {
        if (stop.signal.aborted) return;
        const detail = `the proxies could not be asked: ${error instanceof Error ? error.message : String(error)}`;
        this.#goOn(id, { kind: "judged", atMs: clock.nowMs(), verdict: "unknown", detail });
      }
    };
    void follow();
    return {
      [Symbol.dispose]: () => {
        stop.abort();
        this.#progress.delete(id);
      },
    };
  }

  #run(id: string, work: StepWork): void {
    const follow = async (): Promise<void> => {
      // Nothing waits on its way back.
      if (work.isForward === true) await this.#turns.next();
      if (this.#isClosed) return void this.#moves.delete(id);
      const { plan } = this.#get(id);
      const endWatch = this.#options.host.watcher?.watch(plan, { movesForward: work.isForward === true });
      const moved = await this.#move(work);
      const outcome = addSights(moved, await endWatch?.(moved.kind));
      const atMs = this.#options.clock.nowMs();
      // What was answered until here belongs to the step that ends here.
      await this.#options.host.look?.();
      this.#moves.delete(id);
      const event = work.conclude === undefined ? outcome : await work.conclude(outcome);
      if (event !== undefined) this.#goOn(id, { ...event, atMs });
    };
    this.#moves.set(id, follow());
  }

  async #move({ build, before, after }: StepWork): Promise<StepOutcome> {
    try {
      await before?.();
      const result = build === undefined ? undefined : await this.#options.host.move(build);
      const outcome = result === undefined ? ({ kind: "moved", failed: 0 } as const) : judgeMove(result);
      if (outcome.kind === "moved") await after?.();
      return outcome;
    } catch (error) {
      if (!(error instanceof KirikaeError)) this.#options.onDefect(error);
      return { kind: "moveFailed", reason: error instanceof Error ? error.message : String(error) };
    }
  }

  /** Nobody waits for what happens by itself, so a journal that cannot be written must not end it, nor the process. */
  #goOn(id: string, event: ReleaseEvent): void {
    try {
      this.#take(id, event);
    } catch (error) {
      if (this.#stalled.get(id) !== event) this.#options.onDefect(error);
      if (this.#isClosed || isNotNow(error)) return;
      this.#stalled.set(id, event);
      this.#timers.get(id)?.[Symbol.dispose]();
      this.#wakeAt(id, this.#options.clock.nowMs() + writeAgainMs, () => this.#goOn(id, event));
    }
  }

  #get(id: string): StoredRelease {
    const release = this.#options.journal.releases().find((one) => one.id === id);
    if (release === undefined) throw new Error(`No release has the id ${id}.`);
    return release;
  }
}

/** How one step is carried out: what is laid over the routes, and the weights that are moved, in their order. */
interface StepWork {
  /** Absent where no weights are moved. */
  readonly build?: () => MovePlan | undefined;
  /** Whether it moves the weights of a step, and not back. */
  readonly isForward?: true;
  readonly before?: () => Promise<void>;
  /** Once the weights are proved. */
  readonly after?: () => Promise<void>;
  /** What is written down of the outcome; undefined is nothing. Absent is the outcome itself. */
  readonly conclude?: (outcome: StepOutcome) => Promise<StepEvent | undefined>;
}

/** What can have come of a step, without its time. */
type StepEvent =
  | StepOutcome
  | Omit<Extract<ReleaseEvent, { kind: "moved" }>, "atMs">
  | Omit<Extract<ReleaseEvent, { kind: "partlyBack" }>, "atMs">;

/** What a step judges the new version by; one that bakes has a time of its own. */
function checkOf(step: PlannedStep | undefined): Check | undefined {
  if (step?.kind === "check") return step;
  return step?.kind === "bake" && step.check !== undefined ? { ...step.check, durationMs: step.durationMs } : undefined;
}
