import type { CheckResult, Verdict } from "../check/check-progress.ts";
import type { HandWeights } from "../plan/expected-weights.ts";
import type { EndpointCounts, Shortage } from "../move/limit-return.ts";
import type { MirrorReport } from "../mirror/mirror-report.ts";
import type { VersionName } from "../move/move.ts";
import type { ReleasePlan } from "../plan/plan-release.ts";
import type { ProbeFigures } from "../plan/probe-figures.ts";
import type { SubsetEdit } from "../subset/subset-edit.ts";
import type { WeightsBySplit } from "../move/weights-by-split.ts";

/** What a release is doing. Steps count from 0; `nowhere` is before the first. */
export type ReleasePhase =
  /** Written down, and nothing else yet. */
  | { readonly kind: "planned" }
  /** The weights of this step are being moved. */
  | { readonly kind: "moving"; readonly step: number }
  | { readonly kind: "holding"; readonly step: number; readonly untilMs: number | null }
  /** The requests of the new version are counted and judged, from now. */
  | { readonly kind: "checking"; readonly step: number }
  /** The yes of some is still missing; those that are given, oldest first. */
  | { readonly kind: "awaiting"; readonly step: number; readonly approvals: readonly GivenApproval[] }
  /** Would give the new version more, and may not yet. Goes on by itself. */
  | ({ readonly kind: "frozen"; readonly step: number } & ActiveFreeze)
  /** Stopped before a step or within it, and why where nobody asked for it. */
  | { readonly kind: "paused"; readonly step: number; readonly within: PausedWait | null; readonly reason?: string }
  /** A step, or the way back, failed or was rejected; a person decides. */
  | FailedPhase
  /** Weights that a person gives by hand are being moved; the release is paused after it. */
  | {
      readonly kind: "setting";
      readonly step: number;
      readonly actor: string;
      readonly shares: SetShares;
      readonly within: PausedWait | null;
    }
  /** All weights go back to those before the release. */
  | ({ readonly kind: "rollingBack" } & WayBack)
  /** The way back is undone: everything goes to where it was when that began. */
  | { readonly kind: "redoing"; readonly step: number; readonly actor: string }
  /** Ends: traffic is where the last step put it, where somebody stopped it, or where it was before. */
  | { readonly kind: "done" }
  | { readonly kind: "aborted"; readonly step: number; readonly reason: string }
  | {
      readonly kind: "rolledBack";
      readonly step: number;
      readonly reason?: string;
      /** Why the last try to undo the way back has failed. */
      readonly failure?: string;
    };

/** Percentages by version, or of the new one alone: the versions that are not named keep the rest. */
export type SetShares = number | Readonly<Record<VersionName, number>>;

/** Where a release is when its way back is undone. */
export type Place =
  | { readonly kind: "done" }
  | { readonly kind: "paused"; readonly step: number; readonly within: PausedWait | null };

interface FailedPhase {
  readonly kind: "failed";
  readonly step: number;
  readonly during: "step" | "wayBack";
  readonly reason: string;
  /** Of a way back: what it was taken for, so that one that is tried again still says it. */
  readonly cause?: string;
}

/** The yes of one person. */
export interface GivenApproval {
  readonly actor: string;
  readonly atMs: number;
  readonly reason: string | null;
}

/** A freeze that is in force. */
export interface ActiveFreeze {
  /** Where freezes follow upon each other, the end of the last of them. */
  readonly untilMs: number;
  readonly reason: string | null;
}

export interface WayBack {
  readonly step: number;
  readonly actor: string;
  /** Where a judge wanted it. */
  readonly reason?: string;
  /** Why each try so far has failed, oldest first. */
  readonly failures: readonly string[];
  /** Everything goes back at once, whatever the endpoints there can take. */
  readonly isNow?: true;
  /** What others change meanwhile is overwritten. */
  readonly despiteChanges?: true;
  /** As much is back as can be for now, and this is missing; absent while weights move. */
  readonly waits?: readonly Shortage[] | undefined;
}

/** What an undo of the way back needs. */
interface WayBackMemory {
  readonly place: Place;
  /** Where the step of that place had not begun: it was paused or frozen before it. */
  readonly isBeforeStep?: true;
  /** What was live before the way back, of all that it moves; absent while nothing was moved. */
  readonly was?: WeightsBySplit;
  /** What the parts give, the one that is under way, or was when a process died, included. */
  readonly gives?: WeightsBySplit;
  /** What the part before that has left. */
  readonly left?: WeightsBySplit;
}

/** What a pause has interrupted, so that nothing of it is lost: the time of a hold, and who has approved. */
export type PausedWait =
  | { readonly kind: "hold"; readonly remainingMs: number | null }
  | { readonly kind: "check" }
  | { readonly kind: "approve"; readonly approvals: readonly GivenApproval[] };

export interface ReleaseState {
  readonly phase: ReleasePhase;
  /** A pause asked for while weights move takes effect when they have. */
  readonly pausesAfterMove: boolean;
  /** Holds and checks from here on are passed without waiting; what people have to approve is not. */
  readonly skipsGates: boolean;
  /** Undefined before the start, and where an old journal does not say it. */
  readonly startedBy: string | undefined;
  readonly startedAtMs: number | undefined;
  /** What has become of the longest time that it may take; `due` acts as soon as weights no longer move. */
  readonly limit: "running" | "due" | "over";
  /** Somebody decided that freezes until then do not hold it back; null where nobody has. */
  readonly passesFreezesUntilMs: number | null;
  /** Of every destination that it moves, when it began; undefined where an old journal does not say it. */
  readonly ready?: EndpointCounts | undefined;
  /** What is live by somebody's hand. */
  readonly hand?: HandWeights | undefined;
  /** What a hand may have left whose move was not proved: what is live there is for a way back to put right. */
  readonly doubted?: WeightsBySplit | undefined;
  /** Since a way back began, until it is undone. */
  readonly back?: WayBackMemory | undefined;
}

/** What people ask for. */
export type ReleaseCommand =
  /** To pass a freeze is a decision of its own, with a reason. */
  | { readonly kind: "promote"; readonly full: boolean; readonly despiteFreeze?: true }
  | { readonly kind: "pause" }
  | { readonly kind: "resume" }
  | { readonly kind: "approve" }
  | { readonly kind: "reject" }
  | { readonly kind: "retry" }
  | { readonly kind: "abort" }
  /**
   * Back to before the release; of one that was rolled back, forward again to where it was. `now` does not wait for
   * endpoints, and `despiteChanges` overwrites what others have changed since. `undoes` is found out by the runner, for
   * those who read the story: it undoes a way back.
   */
  | { readonly kind: "rollback"; readonly now?: true; readonly despiteChanges?: true; readonly undoes?: true }
  /** Weights by hand. `raises` is found out by the runner: whether the new version gets more. */
  | { readonly kind: "set"; readonly shares: SetShares; readonly raises?: true };

/** What happens to a release, as the journal has it. Times in milliseconds since the epoch. */
export type ReleaseEvent = Happening & {
  /** In force when it happened. Written down, because rules of time zones change and the journal must not. */
  readonly freeze?: ActiveFreeze;
  /**
   * The account of the system that `up` runs as, where somebody asked for it. Whoever holds that account's token can
   * ask, under any name: `actor` is what they said, and this is what is known.
   */
  readonly account?: string;
};

type Happening =
  | { readonly kind: "start"; readonly atMs: number; readonly startedBy?: string; readonly ready?: EndpointCounts }
  /** Proved; `failed` requests were counted while the weights moved. `move` is its id in the journal, where it had one. */
  | {
      readonly kind: "moved";
      readonly atMs: number;
      readonly failed: number;
      readonly move?: string;
      /** What it has left, where somebody has set it by hand. */
      readonly left?: WeightsBySplit;
      /** What copies have shown that end here. */
      readonly mirror?: MirrorReport;
      /** What could not be confirmed. */
      readonly note?: string;
      /** What became of the requests that kirikae sent meanwhile; those that failed are in `failed` too. */
      readonly probes?: ProbeFigures;
    }
  /** A part of the way back begins; written before it is applied. `was` is live until then. */
  | {
      readonly kind: "turned";
      readonly atMs: number;
      readonly was: WeightsBySplit;
      readonly gives: WeightsBySplit;
      /** What it does to subsets, with all that is needed to undo it; such a part moves no weights. */
      readonly subsets?: readonly SubsetEdit[];
    }
  /** As much is back as its endpoints can take. */
  | {
      readonly kind: "partlyBack";
      readonly atMs: number;
      readonly failed: number;
      readonly move?: string;
      readonly left: WeightsBySplit;
      readonly waits: readonly Shortage[];
    }
  | {
      readonly kind: "moveFailed";
      readonly atMs: number;
      readonly reason: string;
      readonly move?: string;
      /** What was to be live, where somebody has set it by hand: not proved, it may be there all the same. */
      readonly gives?: WeightsBySplit;
    }
  /** A hold or a freeze is over, or a yes no longer counts. */
  | { readonly kind: "timeUp"; readonly atMs: number }
  /** It has taken longer than it may. */
  | { readonly kind: "overdue"; readonly atMs: number }
  /** Somebody else, or a saved manifest, gave other weights to what the release had moved. */
  | { readonly kind: "overruled"; readonly atMs: number; readonly reason: string }
  | {
      readonly kind: "judged";
      readonly atMs: number;
      readonly verdict: Verdict;
      readonly detail: string;
      /** What each judge has found; a check in a dry run passes whatever they say. */
      readonly results?: readonly CheckResult[];
    }
  | ({ readonly atMs: number; readonly actor: string; readonly reason: string | null } & ReleaseCommand);

/** What the engine is to do next; a phase that waits for people has none. */
export type ReleaseEffect =
  | { readonly kind: "moveForward"; readonly step: number }
  /** What the routes are to have when this step is done is laid over them. */
  | { readonly kind: "layAdditions"; readonly step: number }
  /** Subsets are made or removed, and proved. */
  | { readonly kind: "editSubsets"; readonly step: number }
  /** Back to before the release, of all that steps up to this one have moved. */
  | { readonly kind: "moveBack"; readonly step: number; readonly actor: string; readonly notBeforeMs: number }
  | { readonly kind: "setWeights"; readonly step: number; readonly actor: string; readonly shares: SetShares }
  /** Forward again to what was live before the way back. */
  | { readonly kind: "redo"; readonly step: number; readonly actor: string }
  | { readonly kind: "judge"; readonly step: number }
  | { readonly kind: "wakeAt"; readonly atMs: number };

export type StepPlans = Pick<ReleasePlan, "steps"> & {
  readonly spec: Pick<ReleasePlan["spec"], "maxFailed"> & Partial<Pick<ReleasePlan["spec"], "to" | "maxDuration">>;
  /** What keeps steps that give the new version more from beginning now. */
  readonly freeze?: ActiveFreeze | undefined;
};
