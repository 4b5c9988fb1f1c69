import { errorText } from "../core/diagnostics/error-text.ts";
import { KirikaeError } from "../core/diagnostics/error.ts";
import type { CheckProgress } from "../core/release/check/check-progress.ts";
import { findRelease, type ReleaseName } from "../core/release/describe/find-release.ts";
import { movedDestinations } from "../core/release/plan/moved-destinations.ts";
import { releasedServices, type ReleasePlan } from "../core/release/plan/plan-release.ts";
import { describePhase, isBetweenMoves, isOver, stepOf } from "../core/release/state/release-phase.ts";
import type { ReleaseCommand, ReleaseEffect } from "../core/release/state/release-state.ts";
import type { TrafficSpan } from "../core/release/report/traffic-span.ts";
import type { OwnedAddition } from "../core/routes/route-addition.ts";
import { additionsAfter } from "../core/release/live/additions-in-place.ts";
import { checkCommand } from "./check-command.ts";
import type { StoredRelease } from "./fold-releases.ts";
import { pendingEffect } from "./pending-effect.ts";
import type { Clock } from "./ports.ts";
import { type ReleaseChange, ReleaseEvents } from "./release-events.ts";
import { ReleaseLimits } from "./release-limits.ts";
import type { ReleaseHost, ReleaseJournal, WakeAt } from "./release-ports.ts";
import { ReleaseTimers } from "./release-timers.ts";
import { ReleaseWork } from "./release-work.ts";
import { type CounterReading, TrafficMeter } from "./traffic-meter.ts";

export interface RunnerOptions {
  readonly journal: ReleaseJournal;
  readonly host: ReleaseHost;
  readonly clock: Clock;
  /** The account of the system that this runs as, which stands behind everybody who asks; undefined is not known. */
  readonly account?: string | undefined;
  readonly wakeAt: WakeAt;
  onChange(release: StoredRelease, change: ReleaseChange): void;
  /** What the step of a release waits for has changed, which is no event of it. */
  onWait?(release: StoredRelease): void;
  /** Hears of what keeps a release from going on. Where it is the journal, it is written to again and again. */
  onDefect(error: unknown): void;
}

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
  readonly #closing = new AbortController();
  readonly #meter = new TrafficMeter();
  readonly #timers: ReleaseTimers;
  readonly #limits: ReleaseLimits;
  readonly #events: ReleaseEvents;
  readonly #work: ReleaseWork;
  /** Releases whose additions somebody else had taken away, and that are laid again now. */
  readonly #layingAgain = new Set<string>();

  constructor(options: RunnerOptions) {
    const closing = this.#closing.signal;
    this.#options = options;
    this.#timers = new ReleaseTimers(options.wakeAt);
    this.#events = new ReleaseEvents({
      ...options,
      timers: this.#timers,
      closing,
      trafficOf: (id) => this.#meter.read(id),
      onTaken: (release, change, effect) => this.#follow(release, change, effect),
    });
    this.#work = new ReleaseWork({
      ...options,
      events: this.#events,
      timers: this.#timers,
      closing,
      onWait: (id) => options.onWait?.(this.#events.get(id)),
    });
    this.#limits = new ReleaseLimits({
      ...options,
      canTake: (id) => this.#events.stalled(id) === undefined,
      take: (id, event) => void this.#events.take(id, event),
    });
  }

  /**
   * Takes up what an earlier process left: all of it, or one release alone. Call it when the mesh serves and broken moves
   * have ended.
   */
  resume(only?: string): void {
    for (const release of this.#options.journal.releases()) {
      if (only !== undefined && release.id !== only) continue;
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

  /** Whether it waits until the journal can be written. */
  isStalled(id: string): boolean {
    return this.#events.stalled(id) !== undefined || this.#work.isStalled(id);
  }

  /** Whom the proof of its step waits for, in one sentence; undefined while it waits for nobody in particular. */
  waitsFor(id: string): string | undefined {
    return this.#work.waitsFor(id);
  }

  /** How the check that a release is in is going; undefined while there is none. */
  progress(id: string): CheckProgress | undefined {
    return this.#work.progress(id);
  }

  /** Throws KIR2034 while another release has one of its routes. */
  start(plan: ReleasePlan, { actor, reason }: Person): StoredRelease {
    this.checkFree(plan);
    const recorded = this.#options.journal.recordRelease({ plan, actor, reason });
    const { id } = recorded;
    this.#meter.follow(recorded);
    // From here on it is written down, so it goes on by itself whatever becomes of the next write.
    this.#begin(recorded);
    return this.#events.get(id);
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
    const { host, clock } = this.#options;
    const unwritten = this.#events.stalled(id);
    if (unwritten !== undefined) this.#events.take(id, unwritten);
    const release = this.#events.get(id);
    const checkFree = (): void => this.checkFree(release.plan);
    const checked = checkCommand(release, { command, actor: person.actor, moves: host, checkFree });
    const taken = this.#events.take(id, { ...checked, ...person, atMs: clock.nowMs() });
    if (command.kind === "retry" && this.#findStripped(taken) !== undefined) void this.#layAgain(id);
    else this.#checkWeights(taken);
    return this.#events.get(id);
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
    return this.#work.additions();
  }

  /** Resolves when no release moves weights. */
  idle(): Promise<void> {
    return this.#work.idle();
  }

  /** Lets moves that are under way end, and begins none. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort();
    this.#limits[Symbol.dispose]();
    this.#timers[Symbol.dispose]();
    await this.idle();
  }

  #takeUp(release: StoredRelease): void {
    if (release.state.phase.kind === "planned") {
      this.#begin(release);
      return;
    }
    this.#limits.follow(release);
    const effect = pendingEffect(release);
    if (effect !== undefined) this.#work.carryOut(release, effect);
    this.#checkWeights(release);
  }

  #begin({ id, actor, plan }: StoredRelease): void {
    const { host, clock } = this.#options;
    const ready = host.readyEndpoints(movedDestinations(plan));
    this.#events.goOn(id, { kind: "start", atMs: clock.nowMs(), startedBy: actor, ready });
  }

  #checkWeights({ id, plan, state }: StoredRelease): void {
    const { phase } = state;
    if (!isBetweenMoves(phase)) return;
    const stripped = this.#layingAgain.has(id) ? undefined : this.#findStripped({ plan, state });
    const reason = this.#options.host.findOverruling({ plan, state }, stepOf(phase)) ?? stripped;
    if (reason !== undefined) this.#events.goOn(id, { kind: "overruled", reason, atMs: this.#options.clock.nowMs() });
  }

  /** What somebody else has taken away of what a release that waits has laid, in one sentence. */
  #findStripped({ plan, state }: Pick<StoredRelease, "plan" | "state">): string | undefined {
    if (!isBetweenMoves(state.phase)) return undefined;
    const { release } = plan;
    const laid = additionsAfter(plan, stepOf(state.phase)).map((addition) => ({ release, addition }));
    return laid.length === 0 ? undefined : this.#options.host.findStripped?.(laid);
  }

  /** Somebody who lets it go on wants it. Where it cannot be laid, the release stops again, and says why. */
  async #layAgain(id: string): Promise<void> {
    this.#layingAgain.add(id);
    let fault: string | undefined;
    try {
      await this.#work.layAgain(id);
    } catch (error) {
      if (!(error instanceof KirikaeError)) this.#options.onDefect(error);
      fault = errorText(error);
    }
    this.#layingAgain.delete(id);
    const release = this.active().find((each) => each.id === id);
    if (release === undefined || this.#closing.signal.aborted) return;
    if (fault === undefined) this.#checkWeights(release);
    else this.#overrule(release, `it could not be laid again: ${fault}`);
  }

  #overrule({ id, state }: Pick<StoredRelease, "id" | "state">, reason: string | undefined): void {
    if (reason === undefined || !isBetweenMoves(state.phase)) return;
    this.#events.goOn(id, { kind: "overruled", reason, atMs: this.#options.clock.nowMs() });
  }

  /** What follows from an event that is in the journal. */
  #follow(release: StoredRelease, change: ReleaseChange, effect: ReleaseEffect | undefined): void {
    const { kind } = change.event;
    this.#meter.follow(release);
    if (kind === "moved" || kind === "moveFailed") this.#work.settle(release.id);
    this.#limits.follow(release);
    this.#options.onChange(release, change);
    if (effect !== undefined) this.#work.carryOut(release, effect);
    // While the step was under way nobody looked.
    if (kind !== "moved") return;
    const now = this.#events.get(release.id);
    this.#overrule(now, this.#findStripped(now));
  }
}
