import type { CheckProgress } from "../core/release/check/check-progress.ts";
import { isSameShortage } from "../core/release/move/limit-return.ts";
import type { ReleaseEffect } from "../core/release/state/release-state.ts";
import { looksAgainMs } from "../core/release/state/way-back.ts";
import { weightsOfChanges } from "../core/release/move/weights-by-split.ts";
import type { OwnedAddition } from "../core/routes/route-addition.ts";
import { AdditionBook } from "./addition-book.ts";
import type { StoredRelease } from "./fold-releases.ts";
import { judgeStep } from "./judge-step.ts";
import type { Clock } from "./ports.ts";
import type { ReleaseEvents } from "./release-events.ts";
import type { PlannedSet, ReturnPart } from "./release-moves.ts";
import type { LayOptions, ReleaseHost, ReleaseJournal } from "./release-ports.ts";
import type { ReleaseTimers } from "./release-timers.ts";
import { StepRuns, type StepWork } from "./run-step.ts";
import { SubsetWork } from "./subset-work.ts";
import { Turns } from "./turns.ts";

export interface WorkOptions {
  readonly journal: Pick<ReleaseJournal, "releases">;
  readonly host: ReleaseHost;
  readonly clock: Clock;
  readonly events: Pick<ReleaseEvents, "get" | "take" | "goOn">;
  readonly timers: ReleaseTimers;
  /** No work begins once it is aborted. */
  readonly closing: AbortSignal;
  /** What a step waits for has changed. */
  onWait(id: string): void;
  onDefect(error: unknown): void;
}

/** Carries out the effects of what happens to releases: moves, what is laid over the routes, judgements and waits. */
export class ReleaseWork {
  readonly #options: WorkOptions;
  readonly #turns: Turns;
  readonly #steps: StepRuns;
  readonly #additions = new AdditionBook();
  readonly #subsets: SubsetWork;
  readonly #progress = new Map<string, CheckProgress>();
  readonly #waits = new Map<string, string>();

  constructor(options: WorkOptions) {
    const onWait = (id: string, text: string): void => {
      this.#waits.set(id, text);
      options.onWait(id);
    };
    this.#options = options;
    this.#turns = new Turns(options.clock);
    this.#steps = new StepRuns({ ...options, turns: this.#turns, onWait });
    this.#subsets = new SubsetWork({ ...options, onWait });
  }

  /** Whom the proof of its step waits for; undefined while it waits for nobody in particular. */
  waitsFor(id: string): string | undefined {
    return this.#waits.get(id);
  }

  /** How the check that a release is in is going; undefined while there is none. */
  progress(id: string): CheckProgress | undefined {
    return this.#progress.get(id);
  }

  /** Whether its step waits until the journal can be written. */
  isStalled(id: string): boolean {
    return this.#steps.isStalled(id);
  }

  /** What is to be laid over the routes, for all releases together. */
  additions(): readonly OwnedAddition[] {
    return this.#additions.collect(this.#options.journal.releases());
  }

  /** The journal has what came of its last step, so its state says what is laid for it. */
  settle(id: string): void {
    this.#waits.delete(id);
    this.#subsets.settle(id);
    this.#additions.settle(id);
  }

  /** Lays again what a release has laid and somebody else has taken away since. Rejects where that fails. */
  layAgain(id: string): Promise<void> {
    return this.#lay(id);
  }

  /** Resolves when no release moves weights. */
  idle(): Promise<void> {
    return this.#steps.idle();
  }

  carryOut(release: StoredRelease, effect: ReleaseEffect): void {
    const { host, clock, events, timers, closing } = this.#options;
    const { id } = release;
    if (closing.aborted) return;
    switch (effect.kind) {
      case "wakeAt":
        timers.wakeAt(id, effect.atMs, () => events.goOn(id, { kind: "timeUp", atMs: clock.nowMs() }));
        return;
      case "judge":
        timers.replace(id, this.#judge(release, effect.step));
        return;
      case "moveForward":
        // A release of before, which was stopped, may have left something over these routes.
        this.#steps.begin(id, {
          build: () => host.planStep(events.get(id), effect.step),
          before: () => this.#lay(id),
          isForward: true,
        });
        return;
      case "editSubsets":
        this.#steps.begin(id, this.#subsets.forward(id, effect.step));
        return;
      case "layAdditions":
        this.#steps.begin(id, { before: () => this.#layFor(id, effect.step + 1) });
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
    const { clock, timers, closing } = this.#options;
    if (closing.aborted) return;
    const begin = (): void => {
      if (!this.#steps.isRunning(id)) this.#steps.begin(id, this.#partOfWayBack(id));
    };
    if (notBeforeMs <= clock.nowMs()) begin();
    else timers.wakeAt(id, notBeforeMs, begin);
  }

  /** What the weights were is written down before the first of them goes back. */
  #partOfWayBack(id: string): StepWork {
    const { host, clock, events } = this.#options;
    let part: ReturnPart | undefined;
    return {
      before: () => this.#subsets.restore(id),
      build: () => {
        part = undefined;
        const release = events.get(id);
        const { phase } = release.state;
        // It may have been ended while this waited for its turn.
        if (phase.kind !== "rollingBack") return undefined;
        part = host.planReturn(release, phase);
        const { move, waits, was } = part;
        if (move !== undefined || waits.length === 0) {
          const gives = weightsOfChanges(move?.changes ?? [], "after");
          events.take(id, { kind: "turned", atMs: clock.nowMs(), was, gives });
        }
        return move;
      },
      after: async () => {
        if (part?.waits.length !== 0) return;
        await this.#takeAway(id);
        await this.#subsets.withdraw(id);
      },
      conclude: async (outcome) => {
        if (outcome.kind === "moveFailed") return outcome;
        if (part === undefined) return undefined;
        const { move, waits } = part;
        if (waits.length === 0) return outcome;
        const { phase } = events.get(id).state;
        // It may have been ended since, which only a part that moves nothing lets happen.
        if (phase.kind !== "rollingBack") return undefined;
        if (move !== undefined || !isSameShortage(waits, phase.waits ?? [])) {
          return { ...outcome, kind: "partlyBack", waits, left: weightsOfChanges(move?.changes ?? [], "after") };
        }
        // Nothing has changed, so there is nothing to write down.
        this.#moveBack(id, phase.isNow === true ? 0 : clock.nowMs() + looksAgainMs);
        return undefined;
      },
    };
  }

  #setWeights(id: string, effect: Extract<ReleaseEffect, { kind: "setWeights" }>): void {
    const { host, events } = this.#options;
    let set: PlannedSet | undefined;
    this.#steps.begin(id, {
      build: () => {
        set = host.planSet(events.get(id), effect);
        return set.move;
      },
      conclude: async (outcome) => {
        if (outcome.kind === "moved") return { ...outcome, left: set?.left ?? {} };
        // A move that the journal has may have come to some proxies, whatever became of it.
        if (set === undefined || outcome.move === undefined) return outcome;
        return { ...outcome, gives: weightsOfChanges(set.move.changes, "after") };
      },
    });
  }

  /** What was laid over the routes comes first, as it went last. */
  #redo(id: string, { step, actor }: Extract<ReleaseEffect, { kind: "redo" }>): void {
    const { host, events } = this.#options;
    let note: string | undefined;
    this.#steps.begin(id, {
      before: async () => {
        await this.#subsets.addAgain(id, step);
        await this.#layFor(id, step);
      },
      build: () => host.planRedo(events.get(id), actor),
      after: async () => {
        note = await this.#subsets.removeAgain(id, step);
      },
      conclude: async (outcome) => {
        if (outcome.kind === "moved") return note === undefined ? outcome : { ...outcome, note };
        await this.#giveUpRedo(id).catch((error) => this.#options.onDefect(error));
        return outcome;
      },
    });
  }

  async #giveUpRedo(id: string): Promise<void> {
    await this.#takeAway(id);
    await this.#subsets.withdraw(id);
  }

  /** At the end of the way back nothing of it is left over the routes. */
  async #takeAway(id: string): Promise<void> {
    this.#additions.expect(id, 0);
    await this.#lay(id, { isWayBack: true });
  }

  /** Lays what so many steps of a release leave in place. */
  async #layFor(id: string, stepsDone: number): Promise<void> {
    this.#additions.expect(id, stepsDone);
    await this.#lay(id);
  }

  #lay(id: string, options: LayOptions = {}): Promise<void> {
    const { host, events } = this.#options;
    return host.lay(() => this.additions(), events.get(id).plan.release, options);
  }

  #judge({ id, plan }: StoredRelease, step: number): Disposable {
    const { host, clock, events } = this.#options;
    const judging = judgeStep({
      plan,
      step,
      host,
      clock,
      turns: this.#turns,
      onProgress: (progress) => this.#progress.set(id, progress),
      onJudged: (event) => events.goOn(id, event),
    });
    return {
      [Symbol.dispose]: () => {
        judging[Symbol.dispose]();
        this.#progress.delete(id);
      },
    };
  }
}
