import type { AddedSubset, SubsetChange } from "../../manifest/release.ts";
import { type Refusal, refuseInput, refuseState } from "../move/refusals.ts";
import { sitePrefix } from "../../routes/site-names.ts";
import { findSubsetUse, type SubsetUse } from "./find-subset-use.ts";
import { type FindDestinationRule, isSameSubset, type SubsetDefinition, type SubsetEdit } from "./subset-edit.ts";

/** A step of its own: before the first weights that need what it adds, or after the last that need what it removes. */
export interface SubsetStep {
  readonly kind: "subsets";
  readonly does: "add" | "remove";
  readonly edits: readonly SubsetEdit[];
}

export interface SubsetPlanning extends SubsetUse {
  readonly does: "add" | "remove";
  readonly changes: readonly SubsetChange[];
  readonly findDestinationRule: FindDestinationRule;
}

/**
 * Decides what the step does, from the DestinationRules that are live. A subset that is there already, as it is to be,
 * is nobody's to remove later, so it is left out. Refused where one is missing, another one has its name (KIR2062), or
 * somebody would still send to what is removed (KIR2063).
 */
export function planSubsetStep(
  planning: SubsetPlanning,
): { readonly kind: "planned"; readonly step: SubsetStep } | Refusal {
  const { does, changes } = planning;
  const edits: SubsetEdit[] = [];
  for (const change of changes) {
    const names = does === "add" ? change.add : change.remove;
    if (names.length === 0) continue;
    const edit = does === "add" ? planAdding(change, planning) : planRemoving(change, planning);
    if ("error" in edit) return edit;
    if (edit.add.length + edit.remove.length > 0) edits.push(edit);
  }
  return { kind: "planned", step: { kind: "subsets", does, edits } };
}

/** `namespace/name`; the namespace has its site in front, where there are several. */
function nameOf({ namespace, destinationRule }: SubsetChange): string {
  return `${namespace}/${destinationRule}`;
}

function planAdding(change: SubsetChange, { findDestinationRule }: SubsetPlanning): SubsetEdit | Refusal {
  const destinationRule = nameOf(change);
  const live = findDestinationRule(destinationRule);
  if (live === undefined) return refuseAbsent(destinationRule);
  const add: SubsetDefinition[] = [];
  for (const wanted of change.add) {
    const known = live.subsets.find(({ name }) => name === wanted.name);
    if (known === undefined) add.push(definitionOf(wanted));
    else if (!hasLabels(known, wanted)) return refuseOther(destinationRule, wanted.name);
  }
  return { destinationRule, add, remove: [] };
}

function planRemoving(change: SubsetChange, planning: SubsetPlanning): SubsetEdit | Refusal {
  const destinationRule = nameOf(change);
  const live = planning.findDestinationRule(destinationRule);
  if (live === undefined) return refuseAbsent(destinationRule);
  const remove: SubsetDefinition[] = [];
  for (const name of change.remove) {
    const known = live.subsets.find((subset) => subset.name === name);
    if (known === undefined) {
      return refuseInput("KIR2061", `DestinationRule ${destinationRule} has no subset ${name} to remove.`, {
        hint: "Correct `subsets`: `kubectl get destinationrule -o yaml` shows those that it has.",
      });
    }
    const use = findSubsetUse(planning, { destinationRule, host: live.host, subset: name });
    if (use !== undefined) return refuseUsed(destinationRule, { subset: name, use });
    remove.push(known);
  }
  return { destinationRule, add: [], remove, order: live.subsets.map(({ name }) => name) };
}

function definitionOf({ name, labels }: AddedSubset): SubsetDefinition {
  return { name, labels };
}

function hasLabels(known: SubsetDefinition, { name, labels }: AddedSubset): boolean {
  return isSameSubset({ name, labels: known["labels"] ?? {} }, { name, labels });
}

/** KIR2061. Names are `namespace/name`, with a context in front among several clusters. */
export function refuseAbsent(destinationRule: string): Refusal {
  const [, name = ""] = destinationRule.slice(sitePrefix(destinationRule).length).split("/");
  return refuseInput("KIR2061", `There is no DestinationRule ${destinationRule}.`, {
    hint: `Correct \`subsets\`, or create the DestinationRule ${name} first: a release changes subsets, and makes no object.`,
  });
}

/** KIR2062. */
export function refuseOther(destinationRule: string, subset: string): Refusal {
  return refuseState("KIR2062", `DestinationRule ${destinationRule} has another subset ${subset} than the release's.`, {
    hint: "Give the release's subset another name, or take that one away first: it is somebody else's.",
  });
}

/** KIR2063. `use` says what uses it, as the end of a sentence. */
export function refuseUsed(
  destinationRule: string,
  { subset, use }: { readonly subset: string; readonly use: string },
): Refusal {
  return refuseState("KIR2063", `Subset ${subset} of DestinationRule ${destinationRule} is still in use: ${use}.`, {
    hint: "Move what still goes there first; requests to a subset that is gone are answered with 503.",
  });
}
