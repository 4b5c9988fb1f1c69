import { KirikaeError } from "../core/diagnostics/error.ts";
import type { SubsetEdit } from "../core/release/subset/subset-edit.ts";
import { isMovingPhase } from "../core/release/state/release-phase.ts";
import type { StoredRelease } from "./fold-releases.ts";
import { isUnwritten } from "./is-unwritten.ts";
import type { Clock } from "./ports.ts";
import type { ReleaseEvents } from "./release-events.ts";
import type { SubsetTurn } from "./release-moves.ts";
import type { OnWait, ReleaseHost } from "./release-ports.ts";
import type { StepWork } from "./run-step.ts";

export interface SubsetWorkOptions {
  readonly host: Pick<ReleaseHost, "planSubsets" | "editSubsets">;
  readonly clock: Clock;
  readonly events: Pick<ReleaseEvents, "get" | "take">;
  onWait(id: string, text: string): void;
}

/**
 * Makes and removes subsets around the weights that need them: what is added is proved before the first weight, and what
 * is removed is removed after the last one. The way back has the same order from its other end.
 */
export class SubsetWork {
  readonly #options: SubsetWorkOptions;
  /** Releases on their way back of which this process has proved that what they had removed is there again. */
  readonly #restored = new Set<string>();

  constructor(options: SubsetWorkOptions) {
    this.#options = options;
  }

  /** The state of the release, which the journal has, says already that this step is under way. */
  forward(id: string, step: number): StepWork {
    let note: string | undefined;
    return {
      before: async () => {
        note = await this.#edit(id, { kind: "forward", step });
      },
      conclude: async (outcome) => (outcome.kind === "moved" && note !== undefined ? { ...outcome, note } : outcome),
    };
  }

  /** Before weights go back: once is enough, however many parts the way back has. */
  async restore(id: string): Promise<void> {
    const step = this.#stepUnderWay(id, "rollingBack");
    if (step === undefined || this.#restored.has(id)) return;
    await this.#turn(id, { kind: "restore", step });
    this.#restored.add(id);
  }

  /** When all weights are back. */
  async withdraw(id: string): Promise<void> {
    const step = this.#stepUnderWay(id, "rollingBack") ?? this.#stepUnderWay(id, "redoing");
    if (step !== undefined) await this.#turn(id, { kind: "withdraw", step });
  }

  /** Before weights go forward again. */
  async addAgain(id: string, step: number): Promise<void> {
    await this.#turn(id, { kind: "addAgain", step });
  }

  /**
   * When all weights are forward again. Why it could not be done is said and no more: the weights are where they were
   * asked for, and a subset too many serves nobody wrong.
   */
  async removeAgain(id: string, step: number): Promise<string | undefined> {
    try {
      await this.#turn(id, { kind: "removeAgain", step });
      return undefined;
    } catch (error) {
      if (isUnwritten(error) || !(error instanceof KirikaeError)) throw error;
      return `a subset was not removed again: ${error.message}`;
    }
  }

  /** This try of a way back has ended; the next one begins anew, because others may have changed what it had done. */
  settle(id: string): void {
    this.#restored.delete(id);
  }

  #stepUnderWay(id: string, kind: "rollingBack" | "redoing"): number | undefined {
    const { phase } = this.#options.events.get(id).state;
    return isMovingPhase(phase) && phase.kind === kind ? phase.step : undefined;
  }

  /** What is about to be done is written down first, with all that undoes it. */
  async #turn(id: string, turn: SubsetTurn): Promise<void> {
    const { host, clock, events } = this.#options;
    const subsets = host.planSubsets(events.get(id), turn);
    if (subsets.length === 0) return;
    events.take(id, { kind: "turned", atMs: clock.nowMs(), was: {}, gives: {}, subsets });
    await this.#edit(id, turn);
  }

  async #edit(id: string, turn: SubsetTurn): Promise<string | undefined> {
    const { host, events } = this.#options;
    const plan = (): readonly SubsetEdit[] => host.planSubsets(events.get(id), turn);
    const release = events.get(id);
    if (plan().length === 0) return undefined;
    if (host.editSubsets === undefined) throw cannotEdit(release);
    const { proof, takeOver } = release.plan.spec;
    const onWait: OnWait = (text) => this.#options.onWait(id, text);
    const { note } = await host.editSubsets(
      () => ({
        release: release.plan.release,
        edits: plan(),
        ...(proof !== undefined && { proof }),
        ...(takeOver !== undefined && { takeOver }),
      }),
      onWait,
    );
    return note;
  }
}

function cannotEdit({ plan }: StoredRelease): KirikaeError {
  return new KirikaeError("KIR2060", `${plan.release} changes DestinationRules, and none can be written here.`, {
    exitStatus: 2,
    hint: "Go on with it where it was started: with the same `--context`.",
  });
}
