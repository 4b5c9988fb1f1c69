import type { KirikaeError } from "../core/diagnostics/error.ts";
import type { EndpointCounts, Shortage } from "../core/release/move/limit-return.ts";
import type { MovePlan } from "../core/release/move/move.ts";
import type { SetShares, WayBack } from "../core/release/state/release-state.ts";
import type { SubsetEdit } from "../core/release/subset/subset-edit.ts";
import type { WeightsBySplit } from "../core/release/move/weights-by-split.ts";
import type { DestinationId } from "../core/routes/route-table.ts";
import type { StoredRelease } from "./fold-releases.ts";

type Release = Pick<StoredRelease, "plan" | "state">;

/** Plans what a release moves, from what is live now. What they throw is why it cannot be. */
export interface ReleaseMoves {
  /** One plan for all routes of a step; throws where the step is no longer what was agreed. */
  planStep(release: Release, step: number): MovePlan;
  /** As much of the way back as can be made now; throws where what was there before no longer is. */
  planReturn(release: Release, back: Pick<WayBack, "step" | "actor" | "isNow" | "despiteChanges">): ReturnPart;
  /** The way forward again, after a way back; undefined where that moved nothing. */
  planRedo(release: Release, actor: string): MovePlan | undefined;
  /**
   * What is done to subsets; empty where nothing is. Throws where somebody has changed them, or where one that is to be
   * removed is still in use.
   */
  planSubsets(release: Release, turn: SubsetTurn): readonly SubsetEdit[];
  planSet(release: Release, set: { readonly shares: SetShares; readonly actor: string }): PlannedSet;
  /** Which weights are no longer those that the release left before this step; undefined where all are. */
  findOverruling(release: Release, step: number): string | undefined;
  /** KIR2038 where a rollback, or its undo, would overwrite what somebody else has changed. */
  findConflict(release: Release): KirikaeError | undefined;
  /** How many endpoints are ready; a destination whose endpoints cannot be counted is left out. */
  readyEndpoints(destinations: Iterable<DestinationId>): EndpointCounts;
}

/** Of which step, or up to which; and of a way back or its undo, before or after its weights. */
export type SubsetTurn =
  | { readonly kind: "forward"; readonly step: number }
  | { readonly kind: "restore" | "withdraw"; readonly step: number }
  | { readonly kind: "addAgain" | "removeAgain"; readonly step: number };

export interface ReturnPart {
  /** Undefined where nothing moves now. */
  readonly move: MovePlan | undefined;
  /** What the rest waits for; empty where this is the last part. */
  readonly waits: readonly Shortage[];
  /** What is live now, of all that goes back. */
  readonly was: WeightsBySplit;
}

export interface PlannedSet {
  readonly move: MovePlan;
  /** Whether the new version gets more. */
  readonly raises: boolean;
  /** What is live by hand when it has been moved. */
  readonly left: WeightsBySplit;
}
