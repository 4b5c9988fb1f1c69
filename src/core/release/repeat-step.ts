import type { SplitId } from "../routes/route-table.ts";
import { combineMoves } from "./combine-moves.ts";
import type { MovableRule } from "./movable-rules.ts";
import type { MovePlan } from "./move.ts";
import { isSameShare } from "./split-weights.ts";

/**
 * The plan of a step that was taken before its end could be written down: every rule has what the step gives already, so
 * that it is only proved once more. Undefined where one has not. Planned from its words, such a step would be another
 * one: a switch to what is live leaves the rule of testers alone.
 */
export function repeatStep(
  agreed: readonly MovePlan[],
  rules: ReadonlyMap<SplitId, Pick<MovableRule, "current" | "declared">>,
): MovePlan | undefined {
  const repeated: MovePlan[] = [];
  for (const move of agreed) {
    const changes = move.changes.flatMap((change) => {
      const rule = rules.get(change.split);
      if (rule === undefined || !isSameShare(rule.current, change.after)) return [];
      return [{ ...change, declared: rule.declared, before: rule.current }];
    });
    if (changes.length < move.changes.length) return undefined;
    repeated.push({ ...move, changes });
  }
  const [first, ...others] = repeated;
  return first === undefined ? undefined : combineMoves([first, ...others]);
}
