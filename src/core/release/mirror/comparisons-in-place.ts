import type { AnswerComparison } from "../../manifest/release.ts";
import type { MirrorAddition, OwnedAddition } from "../../routes/route-addition.ts";
import type { ReleasePlan } from "../plan/plan-release.ts";

/** Copies of one release that are compared. */
export interface ComparedMirror {
  readonly release: string;
  /** The id of the one start of the release that it belongs to. */
  readonly run: string;
  readonly addition: MirrorAddition;
  readonly compare: AnswerComparison;
}

/** Of additions that are in place, the mirrors whose answers are to be compared. They are those of the plans themselves. */
export function findComparisons(
  owned: readonly OwnedAddition[],
  releases: readonly { readonly id: string; readonly plan: Pick<ReleasePlan, "steps"> }[],
): readonly ComparedMirror[] {
  const comparisons = new Map(
    releases.flatMap(({ id, plan }) =>
      plan.steps.flatMap((step) =>
        step.kind === "mirror" ? [[step.addition, { run: id, compare: step.compare }] as const] : [],
      ),
    ),
  );
  return owned.flatMap(({ release, addition }) => {
    if (addition.kind !== "mirror") return [];
    const { run = "", compare } = comparisons.get(addition) ?? {};
    return compare === undefined ? [] : [{ release, run, addition, compare }];
  });
}
