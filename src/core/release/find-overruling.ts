import type { RouteTable, SplitId, SplitWeights, WeightOverrides } from "../routes/route-table.ts";
import { buildMovableRules } from "./movable-rules.ts";
import type { SplitChange } from "./move.ts";
import { releasedServices, type ReleasePlan } from "./plan-release.ts";
import { renderRule } from "./refusals.ts";
import { isSameShare } from "./split-weights.ts";

export interface OverrulingInput {
  readonly plan: ReleasePlan;
  /** The step that the release waits in or before, from 0: those before it have moved their weights. */
  readonly step: number;
  readonly table: RouteTable;
  readonly current: WeightOverrides;
}

interface LeftWeights {
  readonly virtualService: string;
  readonly change: SplitChange;
  readonly weights: SplitWeights;
}

/**
 * Which rule no longer has the weights that the release left it, in one sentence without a full stop; undefined where
 * all have. Without this a release would go on to "done" over a manifest that has meanwhile said otherwise.
 */
export function findOverruling({ plan, step, table, current }: OverrulingInput): string | undefined {
  const left = new Map<SplitId, LeftWeights>();
  for (const each of plan.steps.slice(0, step)) {
    for (const { virtualService, changes } of "moves" in each ? each.moves : []) {
      for (const change of changes) left.set(change.split, { virtualService, change, weights: change.after });
    }
  }
  if (left.size === 0) return undefined;
  const rules = buildMovableRules(table, { current, services: releasedServices(plan) });
  for (const [split, { virtualService, change, weights }] of left) {
    const rule = rules.get(split);
    const name = `${renderRule(change)} of ${virtualService}`;
    if (rule === undefined) return `${name} is no longer there`;
    if (!isSameShare(rule.current, weights)) return `${name} was given other weights by somebody else`;
  }
  return undefined;
}
