import type { SplitId, SplitWeights } from "../../routes/route-table.ts";
import { weightsOfChanges, type WeightsBySplit } from "../move/weights-by-split.ts";
import { firstMoves } from "../plan/expected-weights.ts";
import type { ReleasePlan } from "../plan/plan-release.ts";
import { advanceRelease, unstarted } from "../state/advance-release.ts";
import type { ReleaseEvent, ReleaseState } from "../state/release-state.ts";

/** The weights that were proved last of everything that a release moves: by a step, by somebody's hand, or on a way back. */
export function findLiveWeights(
  plan: ReleasePlan,
  events: readonly ReleaseEvent[],
): ReadonlyMap<SplitId, SplitWeights> {
  const live = new Map<SplitId, SplitWeights>();
  for (const [split, { change }] of firstMoves(plan)) live.set(split, change.before);
  let state = unstarted;
  for (const event of events) {
    for (const [split, weights] of Object.entries(provedBy(plan, state, event))) live.set(split, weights);
    const advanced = advanceRelease(plan, state, event);
    // A journal tells nothing that cannot have been.
    if (advanced.kind === "notNow") break;
    ({ state } = advanced);
  }
  return live;
}

/** What an event says to be live, in the state in which it happened. */
function provedBy({ steps }: ReleasePlan, { phase, back }: ReleaseState, event: ReleaseEvent): WeightsBySplit {
  if (event.kind === "partlyBack") return event.left;
  if (event.kind !== "moved") return {};
  if (event.left !== undefined) return event.left;
  if (phase.kind === "rollingBack") return back?.gives ?? {};
  if (phase.kind === "redoing") return back?.was ?? {};
  const step = phase.kind === "moving" ? steps[phase.step] : undefined;
  const moves = step !== undefined && "moves" in step ? step.moves : [];
  return weightsOfChanges(
    moves.flatMap(({ changes }) => changes),
    "after",
  );
}
