import { changedMeanwhile } from "../core/release/plan/changed-meanwhile.ts";
import { firstMoves } from "../core/release/plan/expected-weights.ts";
import { combineMoves } from "../core/release/move/combine-moves.ts";
import { type ExpandedStep, expandStrategy, type MovingStep } from "../core/release/plan/expand-strategy.ts";
import { findConflict } from "../core/release/live/find-conflict.ts";
import { findDeviation } from "../core/release/move/find-deviation.ts";
import { findOverruling } from "../core/release/live/find-overruling.ts";
import { limitReturn } from "../core/release/move/limit-return.ts";
import type { MovePlan } from "../core/release/move/move.ts";
import { isStepLive, planAgreedStep } from "../core/release/live/plan-agreed-step.ts";
import { planStep, type ReleasePlan } from "../core/release/plan/plan-release.ts";
import { planRedo, planReturn, type ReturnPlanning } from "../core/release/live/plan-return.ts";
import { planSet, raisesVersion, weightsOfSet } from "../core/release/live/plan-set.ts";
import type { FindDestinationRule, SubsetEdit } from "../core/release/subset/subset-edit.ts";
import {
  checkSubsetStep,
  type LiveSubsets,
  planRestoredSubsets,
  planSubsetsAgain,
  planWithdrawnSubsets,
} from "../core/release/live/turn-subsets.ts";
import { stepOf } from "../core/release/state/release-phase.ts";
import { weightsOfChanges } from "../core/release/move/weights-by-split.ts";
import { splitsOf, weightsOf, withWeights } from "../core/routes/weights.ts";
import type { RouteTable, WeightOverrides } from "../core/routes/route-table.ts";
import type { StoredRelease } from "../engine/fold-releases.ts";
import type { ReleaseMoves, SubsetTurn } from "../engine/release-moves.ts";

export interface MoveParts {
  /** What is live now. */
  readonly live: () => { readonly table: RouteTable; readonly current: WeightOverrides };
  readonly readyEndpoints: ReleaseMoves["readyEndpoints"];
  /**
   * Where the table has as declared whatever is live, as a cluster's does, what was declared is what a release found when
   * it was planned: from 60 % on, the new version's own preview would be taken for a rule of the version that is live.
   */
  readonly declaresWhatIsLive?: boolean;
  /** Absent where there are no DestinationRules to write. */
  readonly findDestinationRule?: FindDestinationRule;
}

/** Plans what releases move, from what is live on the mesh that runs. */
export function createReleaseMoves({
  live,
  readyEndpoints,
  findDestinationRule,
  declaresWhatIsLive = false,
}: MoveParts): ReleaseMoves {
  const find = findDestinationRule ?? (() => undefined);
  return {
    readyEndpoints,
    planSubsets: ({ plan }, turn) => planSubsetTurn(plan, turn, { ...live(), findDestinationRule: find }),
    findOverruling: ({ plan, state }, step) => findOverruling({ plan, step, hand: state.hand, ...live() }),
    findConflict: ({ plan, state }) => findConflict({ plan, state, ...live() }),
    planStep: (release, step) =>
      planForward(release, step, declaresWhatIsLive ? asDeclaredAtStart(release.plan, live()) : live()),
    planReturn({ plan, state }, { step, actor, isNow, despiteChanges }) {
      // Somebody may have changed what the parts before this one have left.
      const isBegun = state.back?.was !== undefined && despiteChanges !== true;
      const conflict = isBegun ? findConflict({ plan, state, ...live() }) : undefined;
      if (conflict !== undefined) throw conflict;
      const move = planned(planReturn({ plan, step, actor, hand: state.hand, doubted: state.doubted, ...live() }));
      if (move === undefined) return { move, waits: [], was: {} };
      const was = weightsOfChanges(move.changes, "before");
      if (isNow === true) return { move: { ...move, asks: "none" }, waits: [], was };
      const destinations = move.versions.flatMap((version) => version.destinations);
      // Without what was ready at its start there is no limit but one: nobody sends traffic to nobody.
      const atStart = plan.spec.wayBack?.capacity === "ignore" ? undefined : state.ready;
      const limited = limitReturn(move, { atStart, now: readyEndpoints(destinations) });
      return { move: limited.plan, waits: limited.waits, was };
    },
    planRedo({ plan, state }, actor) {
      return planned(planRedo({ plan, was: state.back?.was ?? {}, actor, ...live() }));
    },
    planSet({ plan, state }, { shares, actor }) {
      const planning = planSet({ plan, shares, actor, ...live() });
      if (planning.kind === "refused") throw planning.error;
      const move = planning.plan;
      const left = weightsOfSet(move, { plan, step: stepOf(state.phase), hand: state.hand, ...live() });
      return { move, raises: raisesVersion(move, plan.to), left };
    },
  };
}

function planSubsetTurn({ steps }: ReleasePlan, turn: SubsetTurn, live: LiveSubsets): readonly SubsetEdit[] {
  const reached = { steps, step: turn.step };
  switch (turn.kind) {
    case "forward": {
      const step = steps[turn.step];
      return step?.kind === "subsets" ? checkSubsetStep(step, live) : [];
    }
    case "restore":
      return planRestoredSubsets(reached, live);
    case "withdraw":
      return planWithdrawnSubsets(reached, live);
    case "addAgain":
      return planSubsetsAgain(reached, { does: "add", live });
    case "removeAgain":
      return planSubsetsAgain(reached, { does: "remove", live });
  }
}

/** The same live weights, over the ones that the release found. */
function asDeclaredAtStart(plan: ReleasePlan, { table, current }: LiveWeights): LiveWeights {
  const first = firstMoves(plan);
  const now = [...splitsOf(table)].flatMap(([id, split]) =>
    first.has(id) ? [[id, current.get(id) ?? weightsOf(split)] as const] : [],
  );
  const atStart = new Map([...first].map(([id, { change }]) => [id, change.declared]));
  return { table: withWeights(table, atStart), current: new Map([...current, ...now]) };
}

type LiveWeights = ReturnType<MoveParts["live"]>;

function planForward(
  { plan, state }: Pick<StoredRelease, "plan" | "state">,
  index: number,
  live: ReturnType<MoveParts["live"]>,
): MovePlan {
  const agreed = plan.steps[index];
  const step = expandStrategy(plan.spec)[index];
  if (agreed === undefined || step === undefined || !("moves" in agreed) || !isMoving(step)) {
    throw new Error(`Step ${index} of ${plan.release} moves nothing.`);
  }
  if (state.hand !== undefined || isStepLive({ plan, step: index, ...live })) {
    const move = planned(planAgreedStep({ plan, step: index, hand: state.hand, ...live }));
    if (move === undefined) throw changedMeanwhile(plan, "nothing is left of it").error;
    return move;
  }
  return planAnew(plan, { agreed: agreed.moves, step, live });
}

/** Plans a step from its words and what is live, and holds that to what was agreed. */
function planAnew(plan: ReleasePlan, { agreed, step, live }: StepWords): MovePlan {
  const [namespace = "", name = ""] = plan.release.split("/");
  const planning = planStep(step, {
    ...live,
    release: { metadata: { namespace, name }, spec: plan.spec },
    actor: agreed[0]?.actor ?? "kirikae",
    isFirst: false,
  });
  if (planning.kind === "refused") throw planning.error;
  const deviation = findDeviation(agreed, planning.plans);
  const [first, ...others] = planning.plans;
  if (deviation !== undefined || first === undefined)
    throw changedMeanwhile(plan, deviation ?? "nothing is left of it").error;
  return combineMoves([first, ...others]);
}

interface StepWords {
  readonly agreed: readonly MovePlan[];
  readonly step: MovingStep;
  readonly live: ReturnType<MoveParts["live"]>;
}

function planned(planning: ReturnPlanning): MovePlan | undefined {
  if (planning.kind === "refused") throw planning.error;
  return planning.kind === "plan" ? planning.plan : undefined;
}

function isMoving(step: ExpandedStep): step is MovingStep {
  return step.kind === "weight" || step.kind === "switch";
}
