import type { CheckResult, Verdict } from "../check/check-progress.ts";
import type { MirrorReport } from "../mirror/mirror-report.ts";
import type { Ledger, VersionName } from "../move/move.ts";
import type { PlannedStep } from "../plan/plan-release.ts";
import type { ProbeFigures } from "../plan/probe-figures.ts";
import type { ReleasePhase } from "../state/release-state.ts";

/** The shape below. Fields may be added to it without a new number. */
export const REPORT_VERSION = 1;

/** All that is known of a release, for people and for scripts. Plain JSON; times are ISO 8601 in UTC. */
export interface ReleaseReport {
  readonly version: typeof REPORT_VERSION;
  /** When the report was made; of a release that runs, it says what was known by then. */
  readonly madeAt: string;
  /** `namespace/name`. */
  readonly release: string;
  readonly id: string;
  /** `namespace/name` of every VirtualService that it moves. */
  readonly services: readonly string[];
  /** Null where no step moves weights. */
  readonly from: VersionName | null;
  readonly to: VersionName;
  readonly phase: ReleasePhase["kind"];
  /** One sentence without a full stop: what it does, waits for, or how it ended. */
  readonly message: string;
  readonly startedAt: string;
  /** Null while it runs. */
  readonly endedAt: string | null;
  readonly tookMs: number;
  readonly actor: string;
  readonly reason: string | null;
  readonly steps: readonly StepReport[];
  /** Each way back, and each undo of one, in order. */
  readonly detours: readonly DetourReport[];
  /** From the start to the end: the sum over the steps and the detours. */
  readonly counted: Counted;
  /** Of these, the answers of the version that everything goes to: how many requests met it, and how many of them failed. */
  readonly newVersion: NewVersionReport;
  /** How fast the last way back was; null where there was none, or it has not ended. */
  readonly takenBack: TakenBack | null;
  /** What copies of requests have shown, one a mirror, in order. */
  readonly mirrors: readonly MirrorReport[];
  /** Traffic over time, for a graph. */
  readonly points: readonly ReportPoint[];
  /** All that happened, oldest first. */
  readonly story: readonly StoryLine[];
}

/** `requests` is `ok + failed`, and the sum over `byVersion`. Failed are answers of 500 and more. */
export interface Counted extends Answers {
  readonly byVersion: Readonly<Record<VersionName, Answers>>;
  /** False where a proxy started anew or could not be asked, so that answers are missing. */
  readonly isComplete: boolean;
}

/** `requests` is `ok + failed`. */
export interface Answers {
  readonly requests: number;
  readonly ok: number;
  readonly failed: number;
}

interface NewVersionReport extends Answers {
  /** Its names: where versions are hosts, each route has its own. */
  readonly names: readonly VersionName[];
}

/** The time that a step or a detour took, and what happened in it. */
export interface StageReport {
  /** Null where it was not come to. */
  readonly startedAt: string | null;
  readonly endedAt: string | null;
  readonly tookMs: number;
  /** By the proxies' counters, which are looked at once a second. */
  readonly counted: Counted;
  readonly moves: readonly MoveReport[];
  readonly verdicts: readonly VerdictReport[];
}

export interface StepReport extends StageReport {
  /** From 1. */
  readonly number: number;
  readonly kind: PlannedStep["kind"];
  readonly state: "done" | "now" | "next" | "undone" | "passed over";
  readonly summary: string;
  /** What undoes it. */
  readonly inverse: string;
  /** The shares of everybody's traffic, of each VirtualService that it moves. */
  readonly changes: readonly ShareChange[];
  readonly approvals: readonly Decision[];
}

export interface DetourReport extends StageReport {
  /** `back` is to before the release, `again` is the undo of that. */
  readonly kind: "back" | "again";
  /** Who wanted it; `kirikae` where a judge did. */
  readonly actor: string;
  readonly reason: string | null;
}

export interface ShareChange {
  readonly virtualService: string;
  /** In percent by version. */
  readonly before: Readonly<Record<VersionName, number>>;
  readonly after: Readonly<Record<VersionName, number>>;
}

/** Somebody's yes or no. */
export interface Decision {
  readonly at: string;
  readonly actor: string;
  readonly answer: "approve" | "reject";
  readonly reason: string | null;
}

export interface VerdictReport {
  readonly at: string;
  readonly verdict: Verdict;
  readonly detail: string;
  /** What each judge has found; empty where the journal does not say it. */
  readonly results: readonly CheckResult[];
}

/** Weights that were moved, or were to be moved; or what was laid over the routes. */
export interface MoveReport {
  readonly at: string;
  /** The shares of everybody's traffic of the first VirtualService; null where no weight was moved. */
  readonly shares: Pick<ShareChange, "before" | "after"> | null;
  /** Its id in the history; null where it did not come so far. */
  readonly id: string | null;
  readonly isMoved: boolean;
  /** Why not, or what else is to be said. */
  readonly message: string | null;
  /** From the call until every worker of every proxy had proved it. */
  readonly callToProofMs: number | null;
  readonly provedAt: string | null;
  readonly proxies: readonly ProxyProof[];
  /** Every request while it ran, by the proxies' access log; null where none was counted. */
  readonly ledger: Ledger | null;
  /** Requests that kirikae has sent meanwhile. */
  readonly probes: ProbeFigures | null;
}

/** From the call; see `ProxyProof` of the engine. */
export interface ProxyProof {
  readonly node: string;
  readonly ackMs: number;
  readonly workersMs: number;
}

export interface TakenBack {
  /** When it was decided, by a judge or by a person. */
  readonly decidedAt: string;
  /** When every proxy had proved that all traffic was back, that of testers who saw a preview included. */
  readonly backAt: string;
  readonly decisionToBackMs: number;
  /** Since the weights moved, the first look at the counters that shows an error of the new version; null where none does. */
  readonly firstError: FirstError | null;
}

interface FirstError {
  /** The error came within `withinMs` after this, which is when the look before was. */
  readonly after: string;
  readonly withinMs: number;
  /** From `after`, so that it is at most this. */
  readonly toBackMs: number;
}

export interface ReportPoint {
  /** Milliseconds since the epoch. */
  readonly fromMs: number;
  readonly untilMs: number;
  readonly byVersion: Readonly<Record<VersionName, Pick<Answers, "requests" | "failed">>>;
}

export interface StoryLine {
  readonly at: string;
  /** Null for what happens by itself. */
  readonly actor: string | null;
  readonly what: string;
}
