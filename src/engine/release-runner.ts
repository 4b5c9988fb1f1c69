import { advanceRelease, describePhase, isOver } from "../core/release/advance-release.ts";
import { KirikaeError } from "../core/diagnostics/error.ts";
import { movedServices, type MovePlan } from "../core/release/move.ts";
import type { ReleasePlan } from "../core/release/plan-release.ts";
import type { ReleaseCommand, ReleaseEffect, ReleaseEvent } from "../core/release/release-state.ts";
import { renderList } from "../core/release/refusals.ts";
import type { StoredRelease } from "./fold-releases.ts";
import type { Clock } from "./ports.ts";
import { type CountersByDestination, runCheck } from "./release-check.ts";
import type { MoveResult } from "./report.ts";

/** Where releases are written down. Both throw KIR2023 when they cannot be, and then nothing has happened. */
export interface ReleaseJournal {
  releases(): readonly StoredRelease[];
  recordRelease(release: Pick<StoredRelease, "plan" | "actor" | "reason">): StoredRelease;
  recordReleaseEvent(id: string, event: ReleaseEvent): StoredRelease;
}

/** What carries a release out. Rejections and throws are failures of the step, with their message as the reason. */
export interface ReleaseHost {
  /** One plan for all routes of a step, from what is live now; throws where the step is no longer what was agreed. */
  planStep(plan: ReleasePlan, step: number): MovePlan;
  /** Undefined where nothing was moved. */
  planReturn(plan: ReleasePlan, actor: string): MovePlan | undefined;
  move(plan: MovePlan): Promise<MoveResult>;
  /** What the proxies have counted. */
  counters(): Promise<CountersByDestination>;
}

export interface RunnerOptions {
  readonly journal: ReleaseJournal;
  readonly host: ReleaseHost;
  readonly clock: Clock;
  /** Calls back at a time, in milliseconds since the epoch, unless it is disposed before. */
  readonly wakeAt: (atMs: number, wake: () => void) => Disposable;
  onChange(release: StoredRelease): void;
  /** Hears of what keeps a release from going on; the next command, or the next start, takes it up again. */
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
  readonly #moves = new Map<string, Promise<void>>();
  /** What ends by itself unless the release goes on before: holds and checks. */
  readonly #timers = new Map<string, Disposable>();
  /** Releases that should be going on, and are not. */
  readonly #stalled = new Set<string>();
  #isClosed = false;

  constructor(options: RunnerOptions) {
    this.#options = options;
  }

  /** Takes up what an earlier process left. Call it when the mesh serves and broken moves have ended. */
  resume(): void {
    for (const release of this.#options.journal.releases()) this.#takeUp(release);
  }

  /** Throws KIR2034 while another release has one of its routes. */
  start(plan: ReleasePlan, { actor, reason }: Person): StoredRelease {
    const wanted = servicesOf(plan);
    const other = this.active().find(
      (release) =>
        release.plan.release === plan.release || servicesOf(release.plan).some((one) => wanted.includes(one)),
    );
    if (other !== undefined) {
      throw new KirikaeError(
        "KIR2034",
        `${other.plan.release} is ${describePhase(other.state.phase)} and has these routes.`,
        {
          exitStatus: 1,
          hint: "Let it end, abort it or roll it back first.",
        },
      );
    }
    const { id } = this.#options.journal.recordRelease({ plan, actor, reason });
    return this.#take(id, { kind: "start", atMs: this.#options.clock.nowMs() });
  }

  /** Throws KIR2034 for what the release cannot do now. */
  command(id: string, command: ReleaseCommand, person: Person): StoredRelease {
    if (this.#stalled.delete(id)) this.#takeUp(this.#get(id));
    return this.#take(id, { ...command, ...person, atMs: this.#options.clock.nowMs() });
  }

  /** The newest of that name, `namespace/name` or the name alone. Throws KIR2035 where there is none. */
  find(name: string): StoredRelease {
    const all = this.#options.journal.releases();
    const found = all.findLast(({ plan }) => plan.release === name || plan.release.endsWith(`/${name}`));
    if (found !== undefined) return found;
    const known = [...new Set(all.map(({ plan }) => plan.release))];
    throw new KirikaeError("KIR2035", `No release named ${name} was started.`, {
      exitStatus: 2,
      hint: `There are ${renderList(known)}.`,
      details: { known },
    });
  }

  /** Those that have not ended. */
  active(): readonly StoredRelease[] {
    return this.#options.journal.releases().filter(({ state }) => !isOver(state.phase));
  }

  /** Resolves when no release moves weights. */
  async idle(): Promise<void> {
    while (this.#moves.size > 0) await Promise.allSettled(this.#moves.values());
  }

  /** Lets moves that are under way end, and begins none. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    for (const timer of this.#timers.values()) timer[Symbol.dispose]();
    this.#timers.clear();
    await this.idle();
  }

  #takeUp(release: StoredRelease): void {
    const { id, state } = release;
    const { phase } = state;
    if (phase.kind === "planned") this.#take(id, { kind: "start", atMs: this.#options.clock.nowMs() });
    else if (phase.kind === "moving") this.#carryOut(release, { kind: "moveForward", step: phase.step });
    else if (phase.kind === "checking") this.#carryOut(release, { kind: "judge", step: phase.step });
    else if (phase.kind === "rollingBack") {
      const order = release.events.findLast(({ kind }) => kind === "rollback");
      this.#carryOut(release, {
        kind: "moveBack",
        actor: order !== undefined && "actor" in order ? order.actor : "kirikae",
      });
    } else if (phase.kind === "holding" && phase.untilMs !== null) {
      this.#carryOut(release, { kind: "wakeAt", atMs: phase.untilMs });
    }
  }

  #take(id: string, event: ReleaseEvent): StoredRelease {
    const before = this.#get(id);
    const advanced = advanceRelease(before.plan, before.state, event);
    if (advanced.kind === "notNow") {
      throw new KirikaeError(
        "KIR2034",
        `${before.plan.release} cannot ${event.kind} now, because ${advanced.because}.`,
        {
          exitStatus: 1,
          hint: "`kirikae list` shows what each release is doing.",
        },
      );
    }
    const release = this.#options.journal.recordReleaseEvent(id, event);
    this.#timers.get(id)?.[Symbol.dispose]();
    this.#timers.delete(id);
    this.#options.onChange(release);
    if (advanced.effect !== undefined) this.#carryOut(release, advanced.effect);
    return release;
  }

  #carryOut({ id, plan }: StoredRelease, effect: ReleaseEffect): void {
    if (this.#isClosed) return;
    switch (effect.kind) {
      case "wakeAt":
        this.#timers.set(
          id,
          this.#options.wakeAt(effect.atMs, () =>
            this.#goOn(id, { kind: "timeUp", atMs: this.#options.clock.nowMs() }),
          ),
        );
        return;
      case "judge":
        this.#timers.set(id, this.#judge(id, plan, effect.step));
        return;
      case "moveForward":
        this.#run(id, () => this.#options.host.planStep(plan, effect.step));
        return;
      case "moveBack":
        this.#run(id, () => this.#options.host.planReturn(plan, effect.actor));
    }
  }

  #judge(id: string, plan: ReleasePlan, step: number): Disposable {
    const check = plan.steps[step];
    if (check?.kind !== "check") throw new Error(`Step ${step} of ${plan.release} judges nothing.`);
    const stop = new AbortController();
    const { host, clock } = this.#options;
    const follow = async (): Promise<void> => {
      try {
        const counters = (): Promise<CountersByDestination> => host.counters();
        const judgement = await runCheck({ plan, check, counters, clock, signal: stop.signal });
        if (judgement !== undefined) this.#goOn(id, { kind: "judged", atMs: clock.nowMs(), ...judgement });
      } catch (error) {
        if (stop.signal.aborted) return;
        const detail = `the proxies could not be asked: ${error instanceof Error ? error.message : String(error)}`;
        this.#goOn(id, { kind: "judged", atMs: clock.nowMs(), verdict: "unknown", detail });
      }
    };
    void follow();
    return { [Symbol.dispose]: () => stop.abort() };
  }

  #run(id: string, build: () => MovePlan | undefined): void {
    const follow = async (): Promise<void> => {
      const outcome = await this.#move(build);
      this.#moves.delete(id);
      this.#goOn(id, { ...outcome, atMs: this.#options.clock.nowMs() });
    };
    this.#moves.set(id, follow());
  }

  async #move(build: () => MovePlan | undefined): Promise<MoveOutcome> {
    try {
      const plan = build();
      return plan === undefined ? { kind: "moved", failed: 0 } : judgeMove(await this.#options.host.move(plan));
    } catch (error) {
      if (!(error instanceof KirikaeError)) this.#options.onDefect(error);
      return { kind: "moveFailed", reason: error instanceof Error ? error.message : String(error) };
    }
  }

  /** Nobody waits for what happens by itself, so a journal that cannot be written must not end the process. */
  #goOn(id: string, event: ReleaseEvent): void {
    try {
      this.#take(id, event);
    } catch (error) {
      this.#stalled.add(id);
      this.#options.onDefect(error);
    }
  }

  #get(id: string): StoredRelease {
    const release = this.#options.journal.releases().find((one) => one.id === id);
    if (release === undefined) throw new Error(`No release has the id ${id}.`);
    return release;
  }
}

type MoveOutcome =
  | { readonly kind: "moved"; readonly failed: number }
  | { readonly kind: "moveFailed"; readonly reason: string };

/**
 * Weights that every proxy has proved are moved, whatever the requests met meanwhile: how many may fail is said by the
 * release and its checks. Anything else about the evidence is a failure of the step.
 */
function judgeMove({ ok, outcome, message, ledger, callToProofMs }: MoveResult): MoveOutcome {
  const isProved = callToProofMs !== null && ledger?.isComplete === true && ledger.oldAfterDone === 0;
  if (ok || (outcome === "unproved" && isProved)) return { kind: "moved", failed: ledger?.failed ?? 0 };
  return { kind: "moveFailed", reason: `${outcome}: ${message ?? "the move did not end well"}` };
}

/** Every VirtualService that a release moves. */
export function servicesOf({ steps }: ReleasePlan): readonly string[] {
  return [...new Set(steps.flatMap((step) => ("moves" in step ? step.moves.flatMap(movedServices) : [])))];
}
