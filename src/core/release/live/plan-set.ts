import type { RouteTable, WeightOverrides } from "../../routes/route-table.ts";
import { combineMoves } from "../move/combine-moves.ts";
import { expectWeights, firstMoves, type HandWeights } from "../plan/expected-weights.ts";
import { buildMovableRules } from "../move/movable-rules.ts";
import type { MovePlan } from "../move/move.ts";
import { planStep, releasedServices, type ReleasePlan } from "../plan/plan-release.ts";
import { type Refusal, refuseState, renderRule } from "../move/refusals.ts";
import type { SetShares } from "../state/release-state.ts";
import { gainingDestinations, isSameShare } from "../move/split-weights.ts";
import { type WeightsBySplit, weightsOfChanges } from "../move/weights-by-split.ts";

export interface SetInput {
  readonly plan: ReleasePlan;
  readonly shares: SetShares;
  readonly table: RouteTable;
  readonly current: WeightOverrides;
  readonly actor: string;
}

/**
 * The move that gives all routes of a release these weights, from what is live. Refused like any shift, and with
 * KIR2037 where no step of the release moves the rule: what was there before it would not be known.
 */
export function planSet({
  plan,
  shares,
  table,
  current,
  actor,
}: SetInput): { readonly kind: "plan"; readonly plan: MovePlan } | Refusal {
  const [namespace = "", name = ""] = plan.release.split("/");
  const release = { metadata: { namespace, name }, spec: plan.spec };
  const planning = planStep({ kind: "weight", shares }, { table, current, release, actor, isFirst: false });
  if (planning.kind === "refused") return planning;
  const known = firstMoves(plan);
  const foreign = planning.plans.flatMap(({ changes }) => changes).find(({ split }) => !known.has(split));
  const [first, ...others] = planning.plans;
  if (foreign !== undefined || first === undefined) {
    const what = foreign === undefined ? "anything" : renderRule(foreign);
    return refuseState(
      "KIR2037",
      `No step of ${plan.release} moves ${what}, so its weights are not the release's to set.`,
      {
        hint: "Abort the release and use `kirikae shift`, or give it a step with a weight.",
      },
    );
  }
  return { kind: "plan", plan: combineMoves([first, ...others]) };
}

/**
 * What is live by hand once a set is: what its move gives, and what it has given already where a process died before it
 * could say so. Planned from there, a set of everything no longer swaps the testers' rule, and that rule is known by having
 * what a step gives it though no step has come to it yet.
 */
export function weightsOfSet(
  move: MovePlan,
  {
    plan,
    step,
    hand,
    table,
    current,
  }: Pick<SetInput, "plan" | "table" | "current"> & {
    readonly step: number;
    readonly hand: HandWeights | undefined;
  },
): WeightsBySplit {
  const rules = buildMovableRules(table, { current, services: releasedServices(plan) });
  const expected = expectWeights(plan, { step, hand });
  const first = firstMoves(plan);
  const given = plan.steps
    .flatMap((each) => ("moves" in each ? each.moves.flatMap(({ changes }) => changes) : []))
    .filter(({ split, after }) => {
      const now = rules.get(split)?.current;
      const known = expected.get(split)?.weights ?? first.get(split)?.change.before;
      return now !== undefined && known !== undefined && !isSameShare(now, known) && isSameShare(now, after);
    });
  return { ...weightsOfChanges(given, "after"), ...weightsOfChanges(move.changes, "after") };
}

/** Whether a move gives the version that a release leads to more than it has anywhere. */
export function raisesVersion({ changes, versions }: MovePlan, to: string): boolean {
  const destinations = new Set(versions.filter(({ name }) => name === to).flatMap((version) => version.destinations));
  return changes.some(
    ({ role, before, after }) =>
      role === "public" && gainingDestinations(before, after).some((destination) => destinations.has(destination)),
  );
}
