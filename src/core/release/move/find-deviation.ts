import type { SplitWeights } from "../../routes/route-table.ts";
import type { MovePlan, SplitChange } from "./move.ts";
import { renderRule } from "./refusals.ts";
import { renderWeights } from "./render-weights.ts";
import { isSameShare } from "./split-weights.ts";

/**
 * Why a step that was planned anew from what is live is not the step that was agreed upon; undefined where it is. The
 * weights before it may be those agreed or, where the step is tried again, those after it.
 */
export function findDeviation(agreed: readonly MovePlan[], anew: readonly MovePlan[]): string | undefined {
  const planned = new Map(anew.flatMap(({ changes }) => changes.map((change) => [change.split, change] as const)));
  for (const { virtualService, changes } of agreed) {
    for (const change of changes) {
      const now = planned.get(change.split);
      const name = `${renderRule(change)} of ${virtualService}`;
      if (now === undefined) return `${name} is no longer there`;
      if (!isSameShare(now.after, change.after)) {
        return `${name} would get other weights than planned: ${insteadOf(now.after, change.after)}`;
      }
      if (!isAsAgreed(change, now)) {
        return `${name} does not have the weights that the step begins with: ${insteadOf(now.before, change.before)}`;
      }
      planned.delete(change.split);
    }
  }
  const [more] = planned.values();
  return more === undefined ? undefined : `${renderRule(more)} would move too, which was not planned`;
}

function insteadOf(found: SplitWeights, expected: SplitWeights): string {
  return `${renderWeights(found)} instead of ${renderWeights(expected)}`;
}

function isAsAgreed(agreed: SplitChange, now: SplitChange): boolean {
  return isSameShare(now.before, agreed.before) || isSameShare(now.before, agreed.after);
}
