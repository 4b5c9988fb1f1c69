import type { JudgeQuestion, UnreachableProxies } from "../core/manifest/release.ts";
import type { JudgeAnswer } from "../core/release/check/check-progress.ts";
import type { TemplateValues } from "../core/release/plan/fill-templates.ts";
import type { Ledger, MovePlan } from "../core/release/move/move.ts";
import type { SplitId, SplitWeights, WeightOverrides } from "../core/routes/route-table.ts";

/** A place where traffic is switched. It never decides the next step; every target passes `test/contract/target.contract.ts`. */
export interface Target {
  readonly name: string;
  /** Whether the versions that will take traffic can: ready endpoints that answer. Changes nothing. */
  preflight(plan: MovePlan): Promise<PreflightReport>;
  /**
   * Makes these weights live on every proxy and waits until each has proved it. Splits that are not named keep theirs,
   * so moves of different services do not meet; calls at the same time take effect one after the other.
   */
  apply(weights: WeightOverrides, options: ApplyOptions): Promise<ApplyReport>;
  /** Reads from the proxies themselves what is live now. */
  observe(splits: readonly SplitId[]): Promise<readonly ObservedSplit[]>;
  /** Begins to count the requests of the plan's versions. */
  openLedger(plan: MovePlan): Promise<LedgerSession>;
}

export interface ApplyOptions {
  /** How long the proxies may take, from when they are told; what waits for an earlier push has all of it still. */
  readonly timeoutMs: number;
  /**
   * What becomes of a proxy that cannot be reached and that nobody speaks for: `wait` proves nothing without it, `goOn`
   * proves what can be proved and names it in the note. Absent is `wait`.
   */
  readonly unreachable?: UnreachableProxies;
  /**
   * What may be live now, split by split: whoever shares a place with other writers changes nothing (`isUntouched`) where
   * something else is. Absent is anything.
   */
  readonly replaces?: readonly WeightOverrides[];
  /**
   * That it brings back what was there before. A proxy that had refused its configuration before this was called then
   * keeps nobody else's from going back: it is passed over, and named in the note.
   */
  readonly isWayBack?: true;
  /** Field managers whose weights may be taken over, beside those that the target's options name. */
  readonly takeOver?: readonly string[];
  /** Whose doing it is, for notes that a target leaves beside what it writes; absent is whoever runs it. */
  readonly movedBy?: string;
  /** Hears whom the proof still waits for, in one sentence without a full stop, whenever that changes. */
  readonly onProgress?: (text: string) => void;
}

export interface PreflightReport {
  readonly ok: boolean;
  readonly checks: readonly PreflightCheck[];
}

export interface PreflightCheck {
  readonly name: string;
  readonly verdict: "pass" | "fail" | "unknown";
  readonly detail: string;
}

export type ApplyReport =
  | {
      readonly kind: "proved";
      readonly callToProofMs: number;
      readonly proxies: readonly ProxyProof[];
      /** What could not be confirmed, in one sentence without a full stop; absent where everything was. */
      readonly note?: string;
      /** The proxies that refuse what they are given, and that a way back has passed over, where there are any. */
      readonly passedOver?: readonly string[];
    }
  /** A proxy refused: what ran before still runs on it. */
  | {
      readonly kind: "rejected";
      readonly node: string;
      readonly resource: string;
      readonly message: string;
      /** Nothing at all was changed, so there is nothing to take back, and what is live may be somebody else's by now. */
      readonly isUntouched?: true;
    }
  /** Not every proxy confirmed in time. */
  | { readonly kind: "unproved"; readonly proxies: readonly ProxyProof[]; readonly message: string };

export interface ProxyProof {
  readonly node: string;
  /** From the call to the proxy's ACK. */
  readonly ackMs: number;
  /** From the call until every worker thread of the proxy was seen to use the new weights. */
  readonly workersMs: number;
}

export interface ObservedSplit {
  readonly split: SplitId;
  /** Undefined when no proxy could be asked. */
  readonly weights: SplitWeights | undefined;
}

export interface LedgerSession extends AsyncDisposable {
  /** Marks the moment of the call, and later of "done"; times in ms since the epoch, with fractions. */
  markCall(atMs: number): void;
  markDone(atMs: number): void;
  /**
   * Stops counting and returns the sums. Undefined where this target cannot count, which is not a failure of the move;
   * counts that were lost are a ledger that is not complete.
   */
  close(): Promise<Ledger | undefined>;
  /** Why it could not count, in words that follow "because"; known once it is closed. */
  readonly uncounted?: string | undefined;
}

/** What a proxy was sent and what it said, by resource type. */
export interface ProxyStatus {
  readonly node: string;
  readonly connected: boolean;
  /** Why nobody knows whether it is connected, which is then not said of it; absent where it is known. */
  readonly unknown?: string;
  readonly pid: number | undefined;
  readonly types: readonly ProxyTypeStatus[];
}

export interface ProxyTypeStatus {
  readonly type: string;
  readonly sentVersion: string | undefined;
  /** The version that it has confirmed; undefined while the newest is under way or refused. */
  readonly ackedVersion: string | undefined;
  readonly nack: string | undefined;
}

/** The only source of time for the engine. */
export interface Clock {
  /** Milliseconds since the epoch, with fractions. */
  nowMs(): number;
  sleep(durationMs: number): Promise<void>;
}

/** Asks somebody else. What goes wrong with that is an answer of `unknown`; a rejection counts as one too. */
export type AskJudge = (question: JudgeQuestion, options: AskOptions) => Promise<JudgeAnswer>;

interface AskOptions {
  readonly timeoutMs: number;
  /** Ends the question; nobody waits for the answer any more. */
  readonly signal: AbortSignal;
  /** What the release is about, for programs. */
  readonly values: TemplateValues;
}
