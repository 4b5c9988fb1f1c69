import type { PlannedStep } from "../plan/plan-release.ts";
import { findSubsetUse, type SubsetUse } from "../subset/find-subset-use.ts";
import { refuseAbsent, refuseOther, refuseUsed, type SubsetStep } from "../subset/plan-subset-step.ts";
import {
  type FindDestinationRule,
  invertEdit,
  isSameSubset,
  type LiveDestinationRule,
  type SubsetDefinition,
  type SubsetEdit,
} from "../subset/subset-edit.ts";

export interface LiveSubsets extends SubsetUse {
  readonly findDestinationRule: FindDestinationRule;
}

/**
 * What a step does, held to what is live now. All of it is said again, also what is done already: whoever carries it out
 * has to prove it. Throws the KirikaeError of a refusal where somebody has changed what it is about.
 */
export function checkSubsetStep({ edits }: Pick<SubsetStep, "edits">, live: LiveSubsets): readonly SubsetEdit[] {
  for (const { destinationRule, add, remove } of edits) {
    const rule = live.findDestinationRule(destinationRule);
    if (rule === undefined) throw refuseAbsent(destinationRule).error;
    for (const subset of [...add, ...remove]) {
      if (isOther(rule, subset)) throw refuseOther(destinationRule, subset.name).error;
    }
    checkUnused({ destinationRule, remove }, { rule, live });
  }
  return edits;
}

/** How far a release has come, whose way back it is. */
interface Reached {
  readonly steps: readonly PlannedStep[];
  /** The step that it came to, from 0. It may have been done, in part or in full, or not. */
  readonly step: number;
}

/** What the way back does before its weights: the subsets that were removed are there again. */
export function planRestoredSubsets(reached: Reached, live: LiveSubsets): readonly SubsetEdit[] {
  return backOf(reached, { does: "remove", live });
}

/**
 * What the way back does after its weights: the subsets that were added are gone again. Throws KIR2063 where somebody
 * else has begun to use one.
 */
export function planWithdrawnSubsets(reached: Reached, live: LiveSubsets): readonly SubsetEdit[] {
  const edits = backOf(reached, { does: "add", live });
  for (const edit of edits) {
    const rule = live.findDestinationRule(edit.destinationRule);
    if (rule !== undefined) checkUnused(edit, { rule, live });
  }
  return edits;
}

/**
 * Undoes the steps of one kind, the last first. What has been changed since belongs to who changed it, and stays: so
 * does a DestinationRule that is no longer there.
 */
function backOf(
  { steps, step }: Reached,
  { does, live }: { readonly does: SubsetStep["does"]; readonly live: LiveSubsets },
): readonly SubsetEdit[] {
  return steps
    .slice(0, step + 1)
    .toReversed()
    .flatMap((each) => (each.kind === "subsets" && each.does === does ? each.edits.toReversed() : []))
    .flatMap((edit): readonly SubsetEdit[] => {
      const rule = live.findDestinationRule(edit.destinationRule);
      if (rule === undefined) return [];
      const { add, remove, ...rest } = invertEdit(edit);
      const isOurs = (subset: SubsetDefinition): boolean => !isOther(rule, subset);
      const own = { ...rest, add: add.filter(isOurs), remove: remove.filter(isOurs) };
      return own.add.length + own.remove.length === 0 ? [] : [own];
    });
}

/** What the undo of a way back does: before its weights all that had been added, after them all that had been removed. */
export function planSubsetsAgain(
  { steps, step }: Reached,
  { does, live }: { readonly does: SubsetStep["does"]; readonly live: LiveSubsets },
): readonly SubsetEdit[] {
  return steps
    .slice(0, step)
    .flatMap((each) => (each.kind === "subsets" && each.does === does ? checkSubsetStep(each, live) : []));
}

function isOther({ subsets }: LiveDestinationRule, wanted: SubsetDefinition): boolean {
  const known = subsets.find(({ name }) => name === wanted.name);
  return known !== undefined && !isSameSubset(known, wanted);
}

function checkUnused(
  { destinationRule, remove }: Pick<SubsetEdit, "destinationRule" | "remove">,
  { rule, live }: { readonly rule: LiveDestinationRule; readonly live: LiveSubsets },
): void {
  for (const { name } of remove) {
    const use = findSubsetUse(live, { destinationRule, host: rule.host, subset: name });
    if (use !== undefined) throw refuseUsed(destinationRule, { subset: name, use }).error;
  }
}
