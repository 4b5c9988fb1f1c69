import { KirikaeError } from "../core/diagnostics/error.ts";
import { completePlan } from "../core/release/plan/complete-plan.ts";
import type { Ledger, MovePlan, PlannedVersion, SplitChange } from "../core/release/move/move.ts";
import type { MoveOutcome } from "../core/release/move/past-move.ts";
import type { ReleasePlan } from "../core/release/plan/plan-release.ts";
import type { ReleaseEvent } from "../core/release/state/release-state.ts";
import type { TrafficSpan } from "../core/release/report/traffic-span.ts";
import type { SplitId } from "../core/routes/route-table.ts";
import type { ProxyProof } from "./ports.ts";

/** The format that this code writes; older ones stay readable, newer ones are refused. */
export const JOURNAL_FORMAT = 3;

/** One thing that was about to happen or did happen. Times are ISO 8601 in UTC. */
export type JournalRecord =
  /** Written before anything is applied. */
  | { readonly type: "intent"; readonly id: string; readonly at: string; readonly plan: MovePlan }
  /** Written before the weights from before the move are applied again. */
  | { readonly type: "restoring"; readonly id: string; readonly at: string; readonly reason: string }
  | OutcomeRecord
  /** A move that never began: nothing was applied. */
  | {
      readonly type: "refused";
      readonly id: string;
      readonly at: string;
      readonly startedAt: string;
      readonly plan: MovePlan;
      readonly message: string;
    }
  | ManifestRecord
  | ReleaseRecord
  | ReleaseEventRecord;

export interface OutcomeRecord {
  readonly type: "outcome";
  readonly id: string;
  readonly at: string;
  /** `refused` where nothing was changed after the intent: somebody else had changed it before. */
  readonly outcome: MoveOutcome;
  /** Who brought it to its end: the move itself, or the next start. */
  readonly by: "move" | "recovery";
  readonly callToProofMs: number | null;
  /** When the last proxy had proved it. Since format 3. */
  readonly provedAt?: string;
  readonly proxies: readonly ProxyProof[];
  readonly ledger: Ledger | null;
  readonly message: string | null;
  /** Rules of the plan that the manifests no longer had when the move was ended; it left no weights on them. */
  readonly gone?: readonly SplitId[];
}

/** A saved manifest took the place of weights that a move had left. */
export interface ManifestRecord {
  readonly type: "manifest";
  readonly id: string;
  readonly at: string;
  readonly virtualService: string;
  readonly actor: string;
  readonly reason: string | null;
  readonly versions: readonly PlannedVersion[];
  readonly changes: readonly SplitChange[];
}

/** A release, agreed upon. Since format 2. */
export interface ReleaseRecord {
  readonly type: "release";
  readonly id: string;
  readonly at: string;
  readonly plan: ReleasePlan;
  readonly actor: string;
  readonly reason: string | null;
}

/** What happened to a release, written before what follows from it is done. Since format 2. */
export interface ReleaseEventRecord {
  readonly type: "releaseEvent";
  /** The release's. */
  readonly id: string;
  readonly at: string;
  readonly event: ReleaseEvent;
  /** What the versions have answered since the event before, where that is known. Since format 3. */
  readonly traffic?: TrafficSpan;
}

export interface StoredRecord {
  /** Counts from 1 without gaps. */
  readonly seq: number;
  readonly record: JournalRecord;
}

const recordFields: ReadonlyMap<unknown, readonly string[]> = new Map([
  ["intent", ["id", "at", "plan"]],
  ["restoring", ["id", "at", "reason"]],
  ["outcome", ["id", "at", "outcome", "by", "callToProofMs", "proxies", "ledger", "message"]],
  ["refused", ["id", "at", "startedAt", "plan", "message"]],
  ["release", ["id", "at", "plan", "actor", "reason"]],
  ["releaseEvent", ["id", "at", "event"]],
  ["manifest", ["id", "at", "virtualService", "actor", "reason", "versions", "changes"]],
] satisfies readonly (readonly [JournalRecord["type"], readonly string[]])[]);

export function emitRecord(record: JournalRecord): string {
  return JSON.stringify({ format: JOURNAL_FORMAT, ...record });
}

/** Reads one record. Throws KIR2021 for a newer format and KIR2020 for anything that is not a record. */
export function parseRecord(text: string, seq: number): JournalRecord {
  const { format, ...record } = parseObject(text, seq);
  if (typeof format === "number" && format > JOURNAL_FORMAT) {
    throw new KirikaeError("KIR2021", `Record ${seq} of the journal has format ${format}.`, {
      exitStatus: 3,
      hint: `This kirikae reads up to format ${JOURNAL_FORMAT}; use the one that wrote it.`,
    });
  }
  if (typeof format !== "number" || format < 1) throw damagedRecord(seq, "has no format");
  checkRecord(record, seq);
  return format < 3 && record.type === "release" ? { ...record, plan: completePlan(record.plan) } : record;
}

/** That the fields of its type are there; the journal's checksum says that their values are as they were written. */
function checkRecord(
  record: Readonly<Record<string, unknown>>,
  seq: number,
): asserts record is JournalRecord & Readonly<Record<string, unknown>> {
  const fields = recordFields.get(record["type"]);
  if (fields === undefined) throw damagedRecord(seq, "is of no known type");
  const missing = fields.find((field) => !Object.hasOwn(record, field));
  if (missing !== undefined) throw damagedRecord(seq, `lacks ${missing}`);
  const isReadable = record["type"] === "release" ? isReleasePlan(record["plan"]) : isPlan(record["plan"]);
  if ("plan" in record && !isReadable) throw damagedRecord(seq, "has a plan without changes");
}

function parseObject(text: string, seq: number): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw damagedRecord(seq, "is not JSON", error);
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw damagedRecord(seq, "is not an object");
  return { ...value };
}

function isPlan(plan: unknown): boolean {
  if (typeof plan !== "object" || plan === null) return false;
  return "changes" in plan && Array.isArray(plan.changes) && "virtualService" in plan && "versions" in plan;
}

function isReleasePlan(plan: unknown): boolean {
  return typeof plan === "object" && plan !== null && "steps" in plan && Array.isArray(plan.steps) && "release" in plan;
}

/** The error for a journal that cannot be trusted; nothing is read past the damage. */
export function damagedRecord(seq: number, what: string, cause?: unknown): KirikaeError {
  return new KirikaeError("KIR2020", `The journal is damaged: record ${seq} ${what}.`, {
    exitStatus: 3,
    hint: "Move the journal away to start with the manifests' own weights, or bring back a copy of it.",
    cause,
  });
}
