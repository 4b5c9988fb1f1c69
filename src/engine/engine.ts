import { KirikaeError } from "../core/diagnostics/error.ts";
import type { MovePlan } from "../core/release/move.ts";
import type { PastMove } from "../core/release/past-move.ts";
import type { ManifestOverride, Placement } from "../core/release/reconcile-placements.ts";
import { renderRule } from "../core/release/refusals.ts";
import { isSameShare } from "../core/release/split-weights.ts";
import type { SplitId, SplitWeights, WeightOverrides } from "../core/routes/route-table.ts";
import { foldJournal, type JournalFold } from "./fold-journal.ts";
import type { JournalRecord } from "./journal-record.ts";
import type { Journal } from "./journal.ts";
import type { Clock, Target } from "./ports.ts";
import { recoverMove, type Recovery } from "./recover-move.ts";
import type { HistoryEntry, MoveProgress, MoveResult } from "./report.ts";
import { runMove } from "./run-move.ts";

export interface EngineOptions {
  readonly journal: Journal;
  readonly target: Target;
  readonly clock: Clock;
  /** How long requests are counted after "done", so that late answers of the old version show. */
  readonly settleMs: number;
  /** How long proxies may take to prove weights before the move is taken back. */
  readonly applyTimeoutMs: number;
}

/** Carries out moves: one at a time for a VirtualService, each written down before it is done. */
export interface Engine {
  /**
   * Runs a move to its end. Rejects with KIR2013 while another one of the same VirtualService runs, with KIR2012 when the
   * plan is older than the last move, and with KIR2023 when the journal cannot be written; a move that does not succeed
   * is a result, not an error.
   */
  move(plan: MovePlan, onProgress: (progress: MoveProgress) => void): Promise<MoveResult>;
  /** Ends what a dead process began; call it before anything else changes the target. */
  recover(isKnownSplit?: (split: SplitId) => boolean): Promise<readonly Recovery[]>;
  /** Oldest first; of one VirtualService (`namespace/name`, or its name) where one is given. */
  history(name?: string): readonly HistoryEntry[];
  /** Moves with an end, oldest first, for `planMove` to roll back from. */
  pastMoves(): readonly PastMove[];
  /** Plans that a dead process began and did not end: what they touch is for `recover` to decide. */
  unfinished(): readonly MovePlan[];
  /** Weights that differ from the manifests'. */
  placements(): WeightOverrides;
  /** The same with what the manifests declared, for `reconcilePlacements`. */
  placed(): readonly Placement[];
  /** Journals that a saved manifest takes the place of earlier moves. Call it before the manifest is applied. */
  recordManifest(override: ManifestOverride, actor: string): void;
  isMoving(virtualService: string): boolean;
  /** Resolves when no move runs. */
  idle(): Promise<void>;
}

/** Reads the journal once; after that, this process is its only writer. */
export function createEngine(options: EngineOptions): Engine {
  return new JournaledEngine(options);
}

class JournaledEngine implements Engine {
  readonly #options: EngineOptions;
  readonly #running = new Map<string, Promise<unknown>>();
  readonly #state: JournalFold;

  constructor(options: EngineOptions) {
    this.#options = options;
    this.#state = foldJournal(options.journal.read());
  }

  async move(plan: MovePlan, onProgress: (progress: MoveProgress) => void): Promise<MoveResult> {
    const { virtualService } = plan;
    if (this.#running.has(virtualService) || this.#isUnfinished(virtualService)) throw alreadyMoving(virtualService);
    this.#checkFreshness(plan);
    const run = runMove(plan, {
      ...this.#options,
      onProgress,
      record: (build) => this.#append(build),
    });
    this.#running.set(virtualService, run);
    try {
      return await run;
    } finally {
      this.#running.delete(virtualService);
    }
  }

  async recover(isKnownSplit: (split: SplitId) => boolean = () => true): Promise<readonly Recovery[]> {
    const recoveries: Recovery[] = [];
    for (const move of this.#state.unfinished.values()) {
      recoveries.push(
        await recoverMove(move, { ...this.#options, isKnownSplit, record: (build) => this.#append(build) }),
      );
    }
    return recoveries;
  }

  history(name?: string): readonly HistoryEntry[] {
    return selectHistory(this.#state.history, name);
  }

  pastMoves(): readonly PastMove[] {
    return this.#state.pastMoves;
  }

  unfinished(): readonly MovePlan[] {
    return [...this.#state.unfinished.values()].map(({ plan }) => plan);
  }

  placements(): WeightOverrides {
    return new Map(this.placed().map(({ split, weights }) => [split, weights]));
  }

  placed(): readonly Placement[] {
    return [...this.#state.placements.values()];
  }

  recordManifest({ virtualService, why, versions, changes }: ManifestOverride, actor: string): void {
    const at = new Date(this.#options.clock.nowMs()).toISOString();
    this.#append((id) => ({ type: "manifest", id, at, virtualService, actor, reason: why, versions, changes }));
  }

  isMoving(virtualService: string): boolean {
    return this.#running.has(virtualService);
  }

  async idle(): Promise<void> {
    while (this.#running.size > 0) await Promise.allSettled(this.#running.values());
  }

  #append(build: (newId: string) => JournalRecord): string {
    // The journal's own numbering gives ids that are short, ordered and never used twice.
    const record = build(`m${this.#state.lastSeq + 1}`);
    const seq = this.#options.journal.append(record);
    this.#state.add({ seq, record });
    return record.id;
  }

  #isUnfinished(virtualService: string): boolean {
    return [...this.#state.unfinished.values()].some(({ plan }) => plan.virtualService === virtualService);
  }

  /** Between planning and now another move, or a saved manifest, may have come. */
  #checkFreshness(plan: MovePlan): void {
    for (const change of plan.changes) {
      const current: SplitWeights = this.#state.placements.get(change.split)?.weights ?? change.declared;
      if (isSameShare(current, change.before)) continue;
      throw new KirikaeError("KIR2012", `${renderRule(change)} of ${plan.virtualService} has changed since the plan.`, {
        exitStatus: 1,
        hint: "Ask again: the new plan starts from the weights that are live now.",
      });
    }
  }
}

/** The part of a history that is about one VirtualService; all of it without a name. */
export function selectHistory(history: readonly HistoryEntry[], name: string | undefined): readonly HistoryEntry[] {
  if (name === undefined) return [...history];
  return history.filter(
    ({ virtualService }) => virtualService === name || virtualService.slice(virtualService.indexOf("/") + 1) === name,
  );
}

function alreadyMoving(virtualService: string): KirikaeError {
  return new KirikaeError("KIR2013", `A move of ${virtualService} has not ended.`, {
    exitStatus: 1,
    hint: "Wait for it, then ask again; `kirikae status` shows it.",
  });
}
