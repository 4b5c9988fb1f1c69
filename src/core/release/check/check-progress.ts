/** `unknown` is too little traffic to say anything: a person decides. */
export type Verdict = "pass" | "fail" | "unknown";

/** What one version has answered since a check began. */
export interface VersionFigures {
  readonly requests: number;
  /** Answers of 500 and more, those included that a proxy gave itself. */
  readonly errors: number;
  /** The percentiles that the check asks for, and 50 and 99; empty before the first timed answer. */
  readonly latency: readonly MeasuredPercentile[];
  /** How often a proxy took an endpoint out of rotation; null where none ever does. */
  readonly ejections: number | null;
}

interface MeasuredPercentile {
  /** Such as 99. */
  readonly percentile: number;
  readonly ms: number;
}

/** How the answers of copied requests compare with those that were sent. */
export interface ComparedAnswers {
  readonly compared: number;
  readonly different: number;
}

/** How often a judge was asked, and what it said. */
export interface JudgeTally {
  readonly asked: number;
  readonly passed: number;
  readonly failed: number;
  /** Answers that say nothing: no value, no answer in time. */
  readonly inconclusive: number;
  /** What it said last, such as `0.004 is < 0.01`; undefined before its first answer. */
  readonly detail: string | undefined;
}

export interface JudgeProgress extends JudgeTally {
  readonly name: string;
  /** `prometheus`, `http` or `command`. */
  readonly kind: string;
  readonly isDryRun: boolean;
  /** Undefined while it is still asked. */
  readonly verdict: Verdict | undefined;
}

/** How a check is going, for people who watch it. It is not kept: a check that is begun anew counts anew. */
export interface CheckProgress {
  /** Milliseconds since the epoch; it counts from here, and until there at least. */
  readonly fromMs: number;
  readonly untilMs: number;
  readonly isDryRun: boolean;
  readonly fresh: VersionFigures;
  readonly live: VersionFigures;
  /** Undefined where nothing is copied and compared. */
  readonly answers: ComparedAnswers | undefined;
  readonly judges: readonly JudgeProgress[];
}

/** What a check has found in the end, as the journal keeps it. */
export type CheckResult =
  /** By the proxies' own counters. */
  | {
      readonly kind: "figures";
      readonly verdict: Verdict;
      readonly detail: string;
      readonly fresh: VersionFigures;
      readonly live: VersionFigures;
      readonly answers?: ComparedAnswers | undefined;
    }
  | ({
      readonly kind: "judge";
      readonly name: string;
      readonly isDryRun: boolean;
      readonly verdict: Verdict;
    } & JudgeTally);

/** What a judge says when it is asked once; `unknown` is no value, or no answer in time. */
export interface JudgeAnswer {
  readonly verdict: Verdict;
  /** Such as `0.004 is < 0.01`; may hold what somebody else's program has printed, in one harmless line. */
  readonly detail: string;
}
