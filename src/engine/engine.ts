import { errorText } from "../core/diagnostics/error-text.ts";
import { KirikaeError } from "../core/diagnostics/error.ts";
import { movedServices, type MovePlan, type SplitChange } from "../core/release/move/move.ts";
import type { PastMove } from "../core/release/move/past-move.ts";
import type { ManifestOverride, Placement } from "../core/release/move/reconcile-placements.ts";
import { renderRule } from "../core/release/move/refusals.ts";
import { isSameShare } from "../core/release/move/split-weights.ts";
import { isOver } from "../core/release/state/release-phase.ts";
import type { SplitId, SplitWeights, WeightOverrides } from "../core/routes/route-table.ts";
import { foldJournal, type JournalFold, type UnfinishedMove } from "./fold-journal.ts";
import type { JournalRecord } from "./journal-record.ts";
import type { Journal } from "./journal.ts";
import type { Clock, Target } from "./ports.ts";
import { recoverMove, type Recovery } from "./recover-move.ts";
import type { ReleaseJournal } from "./release-ports.ts";
import type { StoredRelease } from "./fold-releases.ts";
import type { HistoryEntry, MoveProgress, MoveResult, TimelineEntry } from "./report.ts";
import { selectHistory, selectTimeline } from "./timeline.ts";
import { runMove } from "./run-move.ts";

export interface EngineOptions {
  readonly journal: Journal;
  readonly target: Target;
  readonly clock: Clock;
  /** How long requests are counted after "done", so that late answers of the old version show. */
  readonly settleMs: number;
  /** How long proxies may take to prove weights before the move is taken back. */
  readonly applyTimeoutMs: number;
  /**
   * What is live of a rule where something else than the journal says it, as the objects of a cluster do; undefined for
   * a rule that is not there. Absent goes by the journal and by what manifests declare.
   */
  readonly liveWeights?: (split: SplitId) => SplitWeights | undefined;
  /** Hears of listeners that throw; without it, the process warns of them. */
  readonly onDefect?: ((error: unknown) => void) | undefined;
}

/** Carries out moves: one at a time for a VirtualService, each written down before it is done; and keeps releases. */
export interface Engine extends ReleaseJournal {
  /**
   * Runs a move to its end, after one of the same VirtualService that broke off. Rejects with KIR2013 while another one
   * of it runs, with KIR2012 when the plan is older than the last move, with KIR2023 when the journal cannot be written
   * and with KIR2024 when that keeps the broken one from its end; a move that does not succeed is a result, not an error.
   */
  move(plan: MovePlan, onProgress: (progress: MoveProgress) => void): Promise<MoveResult>;
  /**
   * Ends what broke off: moves of a dead process, before anything else changes the target, and moves of this one that
   * the journal could not follow. Rejects with KIR2024 while the journal cannot be written.
   */
  recover(isKnownSplit?: (split: SplitId) => boolean): Promise<readonly Recovery[]>;
  /** Oldest first; of one VirtualService (`namespace/name`, or its name) where one is given. */
  history(name?: string): readonly HistoryEntry[];
  /** The same with what happened to releases; of one VirtualService or of one release where one is named. */
  timeline(name?: string): readonly TimelineEntry[];
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
  /**
   * Takes a release that is over out of memory; what its moves were stays in the history. For a place where the journal
   * of a release goes with it. Throws for one that is under way.
   */
  forget(releaseId: string): void;
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
  /** Moves that an earlier process left without an end. */
  readonly #inherited: ReadonlySet<string>;

  constructor(options: EngineOptions) {
    this.#options = options;
    this.#state = foldJournal(options.journal.read());
    this.#inherited = new Set(this.#state.unfinished.keys());
  }

  async move(plan: MovePlan, onProgress: (progress: MoveProgress) => void): Promise<MoveResult> {
    const services = movedServices(plan);
    const busy = services.find((service) => this.#running.has(service));
    if (busy !== undefined) throw alreadyMoving(busy);
    return await this.#alone(services, async () => {
      await this.#endBroken(services);
      this.#checkFreshness(plan);
      return await runMove(plan, { ...this.#options, onProgress, record: (build) => this.#append(build) });
    });
  }

  async recover(isKnownSplit: (split: SplitId) => boolean = () => true): Promise<readonly Recovery[]> {
    const recoveries: Recovery[] = [];
    for (const move of this.#state.unfinished.values()) {
      const services = movedServices(move.plan);
      if (services.some((service) => this.#running.has(service))) continue;
      recoveries.push(await this.#alone(services, async () => await this.#end(move, isKnownSplit)));
    }
    return recoveries;
  }

  history(name?: string): readonly HistoryEntry[] {
    return selectHistory(this.#state.history, name);
  }

  timeline(name?: string): readonly TimelineEntry[] {
    return selectTimeline(this.#state.timeline, { releases: this.#state.releases, name });
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
    const at = this.#now();
    this.#append((id) => ({ type: "manifest", id, at, virtualService, actor, reason: why, versions, changes }));
  }

  releases(): readonly StoredRelease[] {
    return this.#state.releases.all;
  }

  recordRelease({ plan, actor, reason }: Parameters<ReleaseJournal["recordRelease"]>[0]): StoredRelease {
    const at = this.#now();
    const id = this.#append((newId) => ({ type: "release", id: newId.replace("m", "r"), at, plan, actor, reason }));
    return this.release(id);
  }

  recordReleaseEvent(...[id, event, traffic]: Parameters<ReleaseJournal["recordReleaseEvent"]>): StoredRelease {
    const at = this.#now();
    this.#append(() => ({ type: "releaseEvent", id, at, event, ...(traffic !== undefined && { traffic }) }));
    return this.release(id);
  }

  forget(releaseId: string): void {
    if (!isOver(this.release(releaseId).state.phase))
      throw new Error(`${releaseId} is under way and cannot be forgotten.`);
    this.#state.releases.remove(releaseId);
  }

  isMoving(virtualService: string): boolean {
    return this.#running.has(virtualService);
  }

  async idle(): Promise<void> {
    while (this.#running.size > 0) await Promise.allSettled(this.#running.values());
  }

  release(id: string): StoredRelease {
    const release = this.#state.releases.get(id);
    if (release === undefined) throw new Error(`No release has the id ${id}.`);
    return release;
  }

  #now(): string {
    return new Date(this.#options.clock.nowMs()).toISOString();
  }

  #append(build: (newId: string) => JournalRecord): string {
    // The journal's own numbering gives ids that are short, ordered and never used twice.
    const record = build(`m${this.#state.lastSeq + 1}`);
    const seq = this.#options.journal.append(record);
    this.#state.add({ seq, record });
    return record.id;
  }

  /** Keeps every other move of these VirtualServices out until the work has ended. */
  async #alone<T>(services: readonly string[], work: () => Promise<T>): Promise<T> {
    const run = work();
    for (const service of services) this.#running.set(service, run);
    try {
      return await run;
    } finally {
      for (const service of services) this.#running.delete(service);
    }
  }

  /** A move that runs is kept out by `#running`; one that is unfinished all the same broke off, and nobody else ends it. */
  async #endBroken(services: readonly string[]): Promise<void> {
    const broken = [...this.#state.unfinished.values()].filter(({ plan }) =>
      movedServices(plan).some((service) => services.includes(service)),
    );
    for (const move of broken) await this.#end(move, () => true);
  }

  async #end(move: UnfinishedMove, isKnownSplit: (split: SplitId) => boolean): Promise<Recovery> {
    const brokeOff = this.#inherited.has(move.id) ? "kirikae died" : "The journal could not be written";
    const record = (build: (newId: string) => JournalRecord): string => {
      try {
        return this.#append(build);
      } catch (error) {
        throw cannotEnd(move, error);
      }
    };
    return await recoverMove(move, { ...this.#options, isKnownSplit, brokeOff, record });
  }

  #liveWeights({ split, declared }: SplitChange): SplitWeights {
    const { liveWeights } = this.#options;
    if (liveWeights !== undefined) return liveWeights(split) ?? {};
    return this.#state.placements.get(split)?.weights ?? declared;
  }

  /** Between planning and now another move, or a saved manifest, may have come. */
  #checkFreshness(plan: MovePlan): void {
    for (const change of plan.changes) {
      const current = this.#liveWeights(change);
      if (isSameShare(current, change.before)) continue;
      throw new KirikaeError(
        "KIR2012",
        `${renderRule(change)} of ${change.virtualService ?? plan.virtualService} has changed since the plan.`,
        {
          exitStatus: 1,
          hint: "Ask again: the new plan starts from the weights that are live now.",
        },
      );
    }
  }
}

function cannotEnd({ id, plan }: UnfinishedMove, cause: unknown): KirikaeError {
  const why = errorText(cause);
  return new KirikaeError("KIR2024", `${id} of ${plan.virtualService} broke off and cannot be ended: ${why}`, {
    exitStatus: 3,
    hint: "Make room on the disk, or give the state folder back to yourself, and ask again: the next move ends it first.",
    cause,
  });
}

function alreadyMoving(virtualService: string): KirikaeError {
  return new KirikaeError("KIR2013", `A move of ${virtualService} has not ended.`, {
    exitStatus: 1,
    hint: "Wait for it, then ask again; `kirikae status` shows it.",
  });
}
