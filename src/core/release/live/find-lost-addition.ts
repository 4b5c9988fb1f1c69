import { splitsOfAddition } from "../../routes/add-routes.ts";
import type { RouteAddition } from "../../routes/route-addition.ts";
import type { SplitId } from "../../routes/route-table.ts";
import { additionsAfter } from "./additions-in-place.ts";
import type { MovableRule } from "../move/movable-rules.ts";
import type { ReleasePlan } from "../plan/plan-release.ts";

/**
 * Which rule, or which version behind it, is gone under what the release has laid over it, in one sentence without a
 * full stop; undefined where all are there. The release would otherwise go on with a preview that nobody sees.
 */
export function findLostAddition(
  plan: Pick<ReleasePlan, "steps">,
  { step, rules }: { readonly step: number; readonly rules: ReadonlyMap<SplitId, MovableRule> },
): string | undefined {
  for (const addition of additionsAfter(plan, step)) {
    for (const split of splitsOfAddition(addition)) {
      const rule = rules.get(split);
      if (rule === undefined) return `the rule ${split}, which has ${nameAddition(addition)}, is no longer there`;
      const to = addition.kind === "affinity" ? undefined : addition.to[split];
      if (to !== undefined && !rule.arms.some(({ destination }) => destination === to)) {
        return `the rule ${split}, which has ${nameAddition(addition)}, no longer leads to ${to}`;
      }
    }
  }
  return undefined;
}

function nameAddition(addition: RouteAddition): string {
  switch (addition.kind) {
    case "preview":
      return `the preview ${addition.name}`;
    case "mirror":
      return "the mirror of the release";
    case "affinity":
      return "the session affinity of the release";
  }
}
