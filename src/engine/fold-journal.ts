import type { MovePlan, PlannedVersion, SplitChange, VersionName } from "../core/release/move.ts";
import type { PastMove } from "../core/release/past-move.ts";
import type { Placement } from "../core/release/reconcile-placements.ts";
import { isSameShare, totalWeight } from "../core/release/split-weights.ts";
import type { SplitId } from "../core/routes/route-table.ts";
import {
  damagedRecord,
  type JournalRecord,
  type ManifestRecord,
  type OutcomeRecord,
  type StoredRecord,
} from "./journal-record.ts";
import type { HistoryEntry } from "./report.ts";

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
}

export const emptyJournalState: JournalState = {
  lastSeq: 0,
  history: [],
  pastMoves: [],
  unfinished: new Map(),
  placements: new Map(),
};

export function foldJournal(records: readonly StoredRecord[]): JournalState {
  let state = emptyJournalState;
  for (const stored of records) state = foldRecord(state, stored);
  return state;
}

/** Adds one record. Throws KIR2020 for one that cannot follow those before it. */
export function foldRecord(state: JournalState, { seq, record }: StoredRecord): JournalState {
  return { ...applyRecord(state, record, seq), lastSeq: seq };
}

function applyRecord(state: JournalState, record: JournalRecord, seq: number): JournalState {
  switch (record.type) {
    case "intent": {
      const { id, at, plan } = record;
      return {
        ...state,
        history: [...state.history, { ...describePlan(plan), id, outcome: "running", startedAt: at, ledger: null }],
        unfinished: new Map(state.unfinished).set(id, { id, startedAt: at, plan, restoring: undefined }),
      };
    }
    case "restoring": {
      const move = unfinishedMove(state, { id: record.id, seq });
      return { ...state, unfinished: new Map(state.unfinished).set(move.id, { ...move, restoring: record.reason }) };
    }
    case "outcome":
      return applyOutcome(state, unfinishedMove(state, { id: record.id, seq }), record);
    case "refused": {
      const { id, at, startedAt, plan, message } = record;
      const entry: HistoryEntry = {
        ...describePlan(plan),
        id,
        outcome: "refused",
        startedAt,
        finishedAt: at,
        ledger: null,
        message,
      };
      return {
        ...state,
        history: [...state.history, entry],
        pastMoves: [...state.pastMoves, { id, plan, outcome: "refused" }],
      };
    }
    case "manifest":
      return applyManifest(state, record);
  }
}

function unfinishedMove(
  state: JournalState,
  { id, seq }: { readonly id: string; readonly seq: number },
): UnfinishedMove {
  const move = state.unfinished.get(id);
  if (move === undefined) throw damagedRecord(seq, `ends ${id}, which did not begin`);
  return move;
}

function applyOutcome(state: JournalState, move: UnfinishedMove, record: OutcomeRecord): JournalState {
  const { id, outcome, at, ledger } = record;
  const message = record.message ?? undefined;
  const unfinished = new Map(state.unfinished);
  unfinished.delete(id);
  const history = state.history.map((entry) =>
    entry.id === id && entry.verb !== "recovery" ? { ...entry, outcome, finishedAt: at, ledger, message } : entry,
  );
  const isLive = outcome === "done" || outcome === "unproved";
  return {
    ...state,
    history: record.by === "recovery" ? [...history, describeRecovery(move, record)] : history,
    pastMoves: [...state.pastMoves, { id, plan: move.plan, outcome }],
    unfinished,
    placements: isLive ? placeChanges(state.placements, move.plan) : state.placements,
  };
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

function applyManifest(state: JournalState, record: ManifestRecord): JournalState {
  const { id, at, virtualService, actor, reason, versions, changes } = record;
  const placements = new Map(state.placements);
  for (const { split } of changes) placements.delete(split);
  const entry: HistoryEntry = {
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
  return { ...state, history: [...state.history, entry], placements };
}

function placeChanges(placements: ReadonlyMap<SplitId, Placement>, plan: MovePlan): ReadonlyMap<SplitId, Placement> {
  const placed = new Map(placements);
  for (const { split, declared, after } of plan.changes) {
    if (isSameShare(declared, after)) placed.delete(split);
    else placed.set(split, { split, virtualService: plan.virtualService, declared, weights: after });
  }
  return placed;
}

function describePlan(
  plan: MovePlan,
): Omit<HistoryEntry, "id" | "outcome" | "startedAt" | "ledger"> & { finishedAt: undefined } {
  return {
    virtualService: plan.virtualService,
    verb: plan.verb,
    finishedAt: undefined,
    actor: plan.actor,
    reason: plan.reason,
    before: summarizeShares(plan.changes, { versions: plan.versions, which: "before" }),
    after: summarizeShares(plan.changes, { versions: plan.versions, which: "after" }),
  };
}

/** Percent by version, of the last public rule, which is the one that takes whoever no other rule took. */
function summarizeShares(
  changes: readonly SplitChange[],
  options: { readonly versions: readonly PlannedVersion[]; readonly which: "before" | "after" },
): Readonly<Record<VersionName, number>> {
  const change = changes.findLast(({ role }) => role === "public") ?? changes.at(-1);
  const weights = change?.[options.which] ?? {};
  const total = totalWeight(weights);
  const shares: Record<VersionName, number> = {};
  for (const { name, destinations } of options.versions) {
    const weight = destinations.reduce((sum, destination) => sum + (weights[destination] ?? 0), 0);
    shares[name] = total === 0 ? 0 : Math.round((weight / total) * 10_000) / 100;
  }
  return shares;
}
