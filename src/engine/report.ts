import type { Ledger, MovePlan, MoveRequest, VersionName } from "../core/release/move/move.ts";
import type { MoveOutcome } from "../core/release/move/past-move.ts";
import type { ReleaseEvent } from "../core/release/state/release-state.ts";
import type { PreflightReport, ProxyProof } from "./ports.ts";

/** The end of a move. `ok` only when the data plane proved it, nothing failed and the old version was silent after. */
export interface MoveResult {
  readonly id: string;
  readonly ok: boolean;
  /**
   * After `done` and `unproved` the new weights are live, after `restored` and `refused` the old ones; `ok` is true for
   * `done` alone. The history has the same word.
   */
  readonly outcome: MoveOutcome;
  readonly from: VersionName;
  readonly to: VersionName;
  readonly callToProofMs: number | null;
  readonly proxies: readonly ProxyProof[];
  readonly ledger: Ledger | null;
  readonly plan: MovePlan;
  readonly preflight: PreflightReport | null;
  /** Why `ok` is false, or what could not be confirmed or counted where it is true, in one sentence. */
  readonly message: string | undefined;
}

/** One step of a running move, as it happens. */
export type MoveProgress =
  | { readonly kind: "planned"; readonly plan: MovePlan }
  | { readonly kind: "preflight"; readonly report: PreflightReport }
  | { readonly kind: "applying" }
  /** Whom the proof still waits for, in one sentence without a full stop. */
  | { readonly kind: "waiting"; readonly text: string }
  | {
      readonly kind: "proved";
      readonly callToProofMs: number;
      readonly proxies: readonly ProxyProof[];
      /** What could not be confirmed. */
      readonly note?: string;
    }
  | { readonly kind: "counting"; readonly untilMs: number }
  | { readonly kind: "restoring"; readonly reason: string }
  | { readonly kind: "finished"; readonly result: MoveResult };

/** One line of the journal's history. Times are ISO 8601. */
export interface HistoryEntry {
  readonly id: string;
  /** `namespace/name`. */
  readonly virtualService: string;
  /** Other VirtualServices that moved in the same instant. */
  readonly together?: readonly string[];
  readonly verb: MoveRequest["verb"] | "manifest" | "recovery";
  readonly outcome: MoveOutcome | "running";
  readonly startedAt: string;
  readonly finishedAt: string | undefined;
  readonly actor: string;
  readonly reason: string | undefined;
  /** Shares in percent by version, of the rule that the move is about. */
  readonly before: Readonly<Record<VersionName, number>>;
  readonly after: Readonly<Record<VersionName, number>>;
  readonly ledger: Ledger | null;
  /** Why the outcome is not `done`, what could not be confirmed, or what a recovery found; undefined where there is nothing to say. */
  readonly message?: string | undefined;
  /** Of a move that was carried out to its end. */
  readonly proof?: MoveProof | undefined;
}

/** What happened to a release, as a line of the history beside the moves. */
export interface ReleaseEntry {
  /** The release's. */
  readonly id: string;
  /** `namespace/name`. */
  readonly release: string;
  /** `namespace/name` of every VirtualService that it moves. */
  readonly services: readonly string[];
  readonly event: "begin" | ReleaseEvent["kind"];
  /** ISO 8601. */
  readonly at: string;
  /** Null for what happens by itself. */
  readonly actor: string | null;
  readonly reason: string | null;
  /** In words. */
  readonly what: string;
}

/** Moves and what happened to releases, in the order in which they began. */
export type TimelineEntry = HistoryEntry | ReleaseEntry;

/** What the proxies have proved of a move. */
export interface MoveProof {
  /** ISO 8601; absent where it was not proved, and in what earlier versions wrote down. */
  readonly provedAt?: string;
  readonly callToProofMs: number | null;
  readonly proxies: readonly ProxyProof[];
}
