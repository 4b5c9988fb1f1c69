import { movedServices, type MovePlan } from "../core/release/move/move.ts";
import type { PastMove } from "../core/release/move/past-move.ts";
import type { Placement } from "../core/release/move/reconcile-placements.ts";
import { isSameShare } from "../core/release/move/split-weights.ts";
import { summarizeShares } from "../core/release/move/summarize-shares.ts";
import type { SplitId } from "../core/routes/route-table.ts";
import { FoldedReleases } from "./fold-releases.ts";
import {
  damagedRecord,
  type JournalRecord,
  type ManifestRecord,
  type OutcomeRecord,
  type StoredRecord,
} from "./journal-record.ts";
import type { HistoryEntry, MoveProof, ReleaseEntry, TimelineEntry } from "./report.ts";
import { describeBegin, describeHappening } from "./timeline.ts";

/** A move that began and of which the journal knows no end: it runs, or the process died. */
export interface UnfinishedMove {
  readonly id: string;
  readonly startedAt: string;
  readonly plan: MovePlan;
  /** Why it was being taken back; undefined when it was not. */
  readonly restoring: string | undefined;
}

/** All that the journal says, put together. */
export interface JournalState {
  readonly lastSeq: number;
  /** Oldest first. */
  readonly history: readonly HistoryEntry[];
  /** Moves with an end, oldest first. */
  readonly pastMoves: readonly PastMove[];
  readonly unfinished: ReadonlyMap<string, UnfinishedMove>;
  /** Splits whose weights are not the manifests'. */
  readonly placements: ReadonlyMap<SplitId, Placement>;
  readonly releases: FoldedReleases;
  /** Moves and events of releases together, oldest first. */
  readonly timeline: readonly TimelineEntry[];
}

export function foldJournal(records: readonly StoredRecord[]): JournalFold {
  const fold = new JournalFold();
  for (const stored of records) fold.add(stored);
  return fold;
}

/** Takes records one by one; each costs the same however long the journal is. */
export class JournalFold implements JournalState {
  lastSeq = 0;
  readonly history: HistoryEntry[] = [];
  readonly pastMoves: PastMove[] = [];
  readonly unfinished = new Map<string, UnfinishedMove>();
  readonly placements = new Map<SplitId, Placement>();
  readonly releases = new FoldedReleases();
  /** Where the entry of an unfinished move is in the history. */
  readonly #entryOf = new Map<string, number>();
  /** Events of releases, each with how many entries of the history were before it. */
  readonly #between: { readonly before: number; readonly entry: ReleaseEntry }[] = [];

  /** Throws KIR2020 for a record that cannot follow those before it. */
  add({ seq, record }: StoredRecord): void {
    this.#addRecord(record, seq);
    this.lastSeq = seq;
  }

  #addRecord(record: JournalRecord, seq: number): void {
    switch (record.type) {
      case "intent": {
        const { id, at, plan } = record;
        if (this.unfinished.has(id)) throw damagedRecord(seq, `begins ${id} again`);
        this.#entryOf.set(id, this.history.length);
        this.history.push({ ...describePlan(plan), id, outcome: "running", startedAt: at, ledger: null });
        this.unfinished.set(id, { id, startedAt: at, plan, restoring: undefined });
        return;
      }
      case "restoring": {
        const move = this.#unfinishedMove(record.id, seq);
        this.unfinished.set(move.id, { ...move, restoring: record.reason });
        return;
      }
      case "outcome":
        this.#addOutcome(this.#unfinishedMove(record.id, seq), record);
        return;
      case "refused": {
        const { id, at, startedAt, plan, message } = record;
        // A refused move left everything as it was, whatever it had planned.
        const planned = describePlan(plan);
        const entry = { ...planned, after: planned.before };
        this.history.push({ ...entry, id, outcome: "refused", startedAt, finishedAt: at, ledger: null, message });
        this.pastMoves.push({ id, plan, outcome: "refused" });
        return;
      }
      case "manifest":
        for (const { split } of record.changes) this.placements.delete(split);
        this.history.push(describeManifest(record));
        return;
      case "release":
        this.releases.add(record, seq);
        this.#between.push({ before: this.history.length, entry: describeBegin(record) });
        return;
      case "releaseEvent": {
        const before = this.releases.get(record.id);
        this.releases.addEvent(record, seq);
        const entry = before === undefined ? undefined : describeHappening(before, record);
        if (entry !== undefined) this.#between.push({ before: this.history.length, entry });
      }
    }
  }

  get timeline(): readonly TimelineEntry[] {
    const merged: TimelineEntry[] = [];
    let shown = 0;
    for (const { before, entry } of this.#between) {
      merged.push(...this.history.slice(shown, before), entry);
      shown = before;
    }
    return [...merged, ...this.history.slice(shown)];
  }

  #unfinishedMove(id: string, seq: number): UnfinishedMove {
    const move = this.unfinished.get(id);
    if (move === undefined) throw damagedRecord(seq, `ends ${id}, which did not begin`);
    return move;
  }

  #addOutcome(move: UnfinishedMove, record: OutcomeRecord): void {
    const { id, outcome, at, ledger } = record;
    const index = this.#entryOf.get(id) ?? -1;
    const entry = this.history[index];
    if (entry !== undefined) {
      const proof = proofOf(record);
      const ended = { ...entry, outcome, finishedAt: at, ledger, message: record.message ?? undefined, proof };
      // A refused move left everything as it was, whatever it had planned.
      this.history[index] = outcome === "refused" ? { ...ended, after: entry.before } : ended;
    }
    if (record.by === "recovery") this.history.push(describeRecovery(move, record));
    this.pastMoves.push({ id, plan: move.plan, outcome });
    this.unfinished.delete(id);
    this.#entryOf.delete(id);
    if (outcome === "done" || outcome === "unproved") this.#place(move.plan, record.gone);
  }

  #place({ virtualService, changes }: MovePlan, gone: readonly SplitId[] = []): void {
    for (const change of changes) {
      const { split, declared, after } = change;
      const owner = change.virtualService ?? virtualService;
      if (gone.includes(split) || isSameShare(declared, after)) this.placements.delete(split);
      else this.placements.set(split, { split, virtualService: owner, declared, weights: after });
    }
  }
}

function proofOf({ by, provedAt, callToProofMs, proxies }: OutcomeRecord): MoveProof | undefined {
  return by === "recovery" ? undefined : { callToProofMs, proxies, ...(provedAt !== undefined && { provedAt }) };
}

/** What the next start did about a move without an end; its own line, because somebody else did it. */
function describeRecovery({ plan }: UnfinishedMove, { id, at, outcome, message }: OutcomeRecord): HistoryEntry {
  const isLive = outcome === "done" || outcome === "unproved";
  return {
    id: `${id}-recovery`,
    virtualService: plan.virtualService,
    verb: "recovery",
    outcome,
    startedAt: at,
    finishedAt: at,
    actor: "kirikae",
    reason: `${id} had no end`,
    before: summarizeShares(plan.changes, { versions: plan.versions, which: "before" }),
    after: summarizeShares(plan.changes, { versions: plan.versions, which: isLive ? "after" : "before" }),
    ledger: null,
    message: message ?? undefined,
  };
}

function describeManifest(record: ManifestRecord): HistoryEntry {
  const { id, at, virtualService, actor, reason, versions, changes } = record;
  return {
    id,
    virtualService,
    verb: "manifest",
    outcome: "done",
    startedAt: at,
    finishedAt: at,
    actor,
    reason: reason ?? undefined,
    before: summarizeShares(changes, { versions, which: "before" }),
    after: summarizeShares(changes, { versions, which: "after" }),
    ledger: null,
  };
}

function describePlan(
  plan: MovePlan,
): Omit<HistoryEntry, "id" | "outcome" | "startedAt" | "ledger"> & { finishedAt: undefined } {
  const [, ...together] = movedServices(plan);
  return {
    virtualService: plan.virtualService,
    ...(together.length > 0 && { together }),
    verb: plan.verb,
    finishedAt: undefined,
    actor: plan.actor,
    reason: plan.reason,
    before: summarizeShares(plan.changes, { versions: plan.versions, which: "before" }),
    after: summarizeShares(plan.changes, { versions: plan.versions, which: "after" }),
  };
}
