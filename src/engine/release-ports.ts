import type { MovePlan } from "../core/release/move/move.ts";
import type { ReleaseEvent } from "../core/release/state/release-state.ts";
import type { TrafficSpan } from "../core/release/report/traffic-span.ts";
import type { SubsetEdit } from "../core/release/subset/subset-edit.ts";
import type { OwnedAddition } from "../core/routes/route-addition.ts";
import type { StoredRelease } from "./fold-releases.ts";
import type { CheckSources } from "./release-check.ts";
import type { ReleaseMoves } from "./release-moves.ts";
import type { MoveResult } from "./report.ts";
import type { StepWatcher } from "./watch-step.ts";

/** Hears whom the proof of a step waits for, in one sentence without a full stop, whenever that changes. */
export type OnWait = (text: string) => void;

/** What is done to subsets, in this order, and when it is proved. */
export interface SubsetOrder extends Pick<MovePlan, "proof" | "takeOver"> {
  /** `namespace/name`. */
  readonly release: string;
  readonly edits: readonly SubsetEdit[];
}

export interface SubsetProof {
  /** What could not be confirmed, in one sentence without a full stop. */
  readonly note?: string;
}

/** Where releases are written down. What records throws KIR2023 when it cannot, and then nothing has happened. */
export interface ReleaseJournal {
  /** Oldest first. */
  releases(): readonly StoredRelease[];
  /** Throws for an id that no release has. */
  release(id: string): StoredRelease;
  recordRelease(release: Pick<StoredRelease, "plan" | "actor" | "reason">): StoredRelease;
  recordReleaseEvent(id: string, event: ReleaseEvent, traffic?: TrafficSpan): StoredRelease;
}

export interface LayOptions {
  /** That it takes away what a release has laid, on its way back: as `ApplyOptions.isWayBack`. */
  readonly isWayBack?: true;
}

/** What carries a release out. Rejections and throws are failures of the step, with their message as the reason. */
export interface ReleaseHost extends CheckSources, ReleaseMoves {
  /** Builds the plan when its turn has come, and carries it out; undefined where there is none. */
  move(build: () => MovePlan | undefined, onWait?: OnWait): Promise<MoveResult | undefined>;
  /**
   * Makes these additions, and no others, live on every proxy when its turn has come; rejects where that fails. What
   * somebody else has taken away meanwhile comes back for the release (`namespace/name`) that asks, and for no other.
   */
  lay(build: () => readonly OwnedAddition[], asks: string, options?: LayOptions): Promise<void>;
  /**
   * Which of these additions, which were laid, somebody else has taken away, in one sentence without a full stop;
   * undefined where none. Absent where nobody else can.
   */
  findStripped?(additions: readonly OwnedAddition[]): string | undefined;
  /**
   * Makes these edits live on every proxy when its turn has come; rejects where that fails, and may then have done a part
   * of them. Absent where there is no DestinationRule to write.
   */
  editSubsets?(build: () => SubsetOrder, onWait: OnWait): Promise<SubsetProof>;
  /** Looks at the counters now and hands them to `addReading`; resolves soon in any case, and never rejects. */
  look?(): Promise<void>;
  readonly watcher?: StepWatcher;
  /**
   * How many steps move weights forward at the same time; the others wait for their turn, and a way back for none of
   * them. Absent is as many as there are.
   */
  readonly mostForward?: number;
}

/** Calls back at a time, in milliseconds since the epoch, unless it is disposed before. */
export type WakeAt = (atMs: number, wake: () => void) => Disposable;
