import type { RouteTable, WeightOverrides } from "../../routes/route-table.ts";
import { expectWeights, type HandWeights } from "../plan/expected-weights.ts";
import { findLostAddition } from "./find-lost-addition.ts";
import { buildMovableRules } from "../move/movable-rules.ts";
import { releasedServices, type ReleasePlan } from "../plan/plan-release.ts";
import { renderRule } from "../move/refusals.ts";
import { renderWeights } from "../move/render-weights.ts";
import { isSameShare } from "../move/split-weights.ts";

export interface OverrulingInput {
  readonly plan: ReleasePlan;
  /** The step that the release waits in or before, from 0: those before it have moved their weights. */
  readonly step: number;
  /** What people have set by hand. */
  readonly hand?: HandWeights | undefined;
  readonly table: RouteTable;
  readonly current: WeightOverrides;
}

/**
 * Which rule no longer has the weights that the release left it, and what it has instead, in one sentence without a full
 * stop; undefined where all have, and what it has laid over rules still has something to lie over. Without this a release
 * would go on to "done" over a manifest that has meanwhile said otherwise.
 */
export function findOverruling({ plan, step, hand, table, current }: OverrulingInput): string | undefined {
  const left = expectWeights(plan, { step, hand });
  const rules = buildMovableRules(table, { current, services: releasedServices(plan) });
  for (const [split, { virtualService, change, weights }] of left) {
    const rule = rules.get(split);
    const name = `${renderRule(change)} of ${virtualService}`;
    if (rule === undefined) return `${name} is no longer there`;
    if (!isSameShare(rule.current, weights)) {
      return `${name} was given other weights by somebody else: ${renderWeights(rule.current)} instead of ${renderWeights(weights)}`;
    }
  }
  return findLostAddition(plan, { step, rules });
}
