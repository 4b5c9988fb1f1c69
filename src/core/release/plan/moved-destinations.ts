import type { DestinationId } from "../../routes/route-table.ts";
import type { ReleasePlan } from "./plan-release.ts";

/** Every destination that a release gives weight to, or takes it from. */
export function movedDestinations({ steps }: Pick<ReleasePlan, "steps">): ReadonlySet<DestinationId> {
  const moves = steps.flatMap((step) => ("moves" in step ? step.moves : []));
  return new Set(moves.flatMap(({ versions }) => versions.flatMap(({ destinations }) => destinations)));
}
