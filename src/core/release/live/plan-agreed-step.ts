import type { RouteTable, WeightOverrides } from "../../routes/route-table.ts";
import { changedMeanwhile } from "../plan/changed-meanwhile.ts";
import { expectWeights, type HandWeights } from "../plan/expected-weights.ts";
import { findDeviation } from "../move/find-deviation.ts";
import { buildMovableRules, type MovableRule } from "../move/movable-rules.ts";
import type { MovePlan } from "../move/move.ts";
import { releasedServices, type ReleasePlan } from "../plan/plan-release.ts";
import { planRestoring, type ReturnPlanning } from "./plan-return.ts";
import { isSameShare } from "../move/split-weights.ts";

export interface AgreedStepInput {
  readonly plan: ReleasePlan;
  /** From 0; one that moves weights. */
  readonly step: number;
  readonly hand: HandWeights | undefined;
  readonly table: RouteTable;
  readonly current: WeightOverrides;
}

/**
 * Whether all that a step gives is live already: the process before has moved it and died before it could say so. Its
 * words, planned from there, would mean something else: a switch that has been made swaps no testers' rule.
 */
export function isStepLive({ plan, step, table, current }: Omit<AgreedStepInput, "hand">): boolean {
  const agreed = plan.steps[step];
  const changes = agreed !== undefined && "moves" in agreed ? agreed.moves.flatMap((move) => move.changes) : [];
  const rules = buildMovableRules(table, { current, services: releasedServices(plan) });
  return changes.every(({ split, after }) => isSameShare(rules.get(split)?.current ?? {}, after));
}

/**
 * A step after weights were set by hand: from what is live to what was agreed for this step, whatever lies between. It
 * cannot be planned from its words, which say "the rest" of what was live when the release was planned.
 */
export function planAgreedStep({ plan, step, hand, table, current }: AgreedStepInput): ReturnPlanning {
  const agreed = plan.steps[step];
  const moves = agreed !== undefined && "moves" in agreed ? agreed.moves : [];
  const rules = buildMovableRules(table, { current, services: releasedServices(plan) });
  const deviation = findDeviation(moves, expectMoves(plan, { step, hand, moves, rules }));
  if (deviation !== undefined) return changedMeanwhile(plan, deviation);
  const wanted = moves.flatMap((move) =>
    move.changes.map((change) => ({ index: step, move, change, after: change.after })),
  );
  return planRestoring(wanted, {
    table,
    rules,
    refuse: (gone) => changedMeanwhile(plan, gone.join(" ").replace(/\.$/u, "")),
    turn: (move) => move,
  });
}

/**
 * The agreed moves as they would be now, where what is live is what the release expects; what is not keeps its own
 * weights, which `findDeviation` then finds.
 */
function expectMoves(
  plan: ReleasePlan,
  {
    step,
    hand,
    moves,
    rules,
  }: Pick<AgreedStepInput, "step" | "hand"> & {
    readonly moves: readonly MovePlan[];
    readonly rules: ReadonlyMap<string, MovableRule>;
  },
): readonly MovePlan[] {
  const expected = expectWeights(plan, { step, hand });
  return moves.map((move) => ({
    ...move,
    changes: move.changes.flatMap((change) => {
      const live = rules.get(change.split)?.current;
      if (live === undefined) return [];
      const own = expected.get(change.split)?.weights;
      const isOwn = own !== undefined && isSameShare(live, own);
      return [{ ...change, before: isOwn ? change.before : live }];
    }),
  }));
}
