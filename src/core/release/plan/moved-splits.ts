import type { SplitId } from "../../routes/route-table.ts";
import type { ReleasePlan } from "./plan-release.ts";

/** Every rule whose weights some step of a release moves. */
export function movedSplits({ steps }: Pick<ReleasePlan, "steps">): ReadonlySet<SplitId> {
  const moves = steps.flatMap((step) => ("moves" in step ? step.moves : []));
  return new Set(moves.flatMap(({ changes }) => changes.map(({ split }) => split)));
}
