import type { RouteTable, SplitWeights, WeightOverrides } from "../routes/route-table.ts";
import { combineMoves } from "./combine-moves.ts";
import { buildRoutedServices, buildServiceRules } from "./movable-rules.ts";
import type { MovePlan, SplitChange } from "./move.ts";
import type { ReleasePlan } from "./plan-release.ts";

export interface ReturnInput {
  readonly plan: ReleasePlan;
  readonly table: RouteTable;
  readonly current: WeightOverrides;
  readonly actor: string;
}

/**
 * The one move that takes everything a release has touched back to where it was before its first step; undefined where
 * no step moves anything. A rule that is gone from the manifests has no traffic to put back.
 */
export function planReturn({ plan, table, current, actor }: ReturnInput): MovePlan | undefined {
  const first = new Map<string, { readonly move: MovePlan; readonly change: SplitChange }>();
  for (const step of plan.steps) {
    for (const move of "moves" in step ? step.moves : []) {
      for (const change of move.changes) if (!first.has(change.split)) first.set(change.split, { move, change });
    }
  }
  const declared = declaredWeights(table);
  const backward = [...Map.groupBy(first.values(), ({ move }) => move.virtualService).values()].flatMap((group) => {
    const [{ move } = { move: undefined }] = group;
    const changes = group.flatMap(({ change }) => {
      const now = declared.get(change.split);
      if (now === undefined) return [];
      const before = current.get(change.split) ?? now;
      return [{ ...change, declared: now, before, after: change.before }];
    });
    return move === undefined || changes.length === 0 ? [] : [invert(move, { changes, plan, actor })];
  });
  const [one, ...others] = backward;
  return one === undefined ? undefined : combineMoves([one, ...others]);
}

function invert(
  move: MovePlan,
  {
    changes,
    plan,
    actor,
  }: { readonly changes: readonly SplitChange[]; readonly plan: ReleasePlan; readonly actor: string },
): MovePlan {
  const { from, to } = move;
  const reason = `release ${plan.release}, rolled back`;
  return { ...move, verb: "rollback", from: to, to: from, changes, stays: [], actor, reason };
}

function declaredWeights(table: RouteTable): ReadonlyMap<string, SplitWeights> {
  return new Map(
    buildRoutedServices(table).flatMap((service) =>
      buildServiceRules(service, new Map()).flatMap(({ movable }) =>
        movable === undefined ? [] : [[movable.split, movable.declared] as const],
      ),
    ),
  );
}
