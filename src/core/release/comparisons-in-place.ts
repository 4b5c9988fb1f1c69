import type { AnswerComparison } from "../manifest/release.ts";
import type { MirrorAddition, OwnedAddition } from "../routes/route-addition.ts";
import type { ReleasePlan } from "./plan-release.ts";

/** Copies of one release that are compared. */
export interface ComparedMirror {
  readonly release: string;
  readonly addition: MirrorAddition;
  readonly compare: AnswerComparison;
}

/** Of additions that are in place, the mirrors whose answers are to be compared. They are those of the plans themselves. */
export function findComparisons(
  owned: readonly OwnedAddition[],
  plans: readonly Pick<ReleasePlan, "steps">[],
): readonly ComparedMirror[] {
  const comparisons = new Map(
    plans
      .flatMap(({ steps }) => steps)
      .flatMap((step) => (step.kind === "mirror" ? [[step.addition, step.compare] as const] : [])),
  );
  return owned.flatMap(({ release, addition }) => {
    const compare = addition.kind === "mirror" ? comparisons.get(addition) : undefined;
    return addition.kind === "mirror" && compare !== undefined ? [{ release, addition, compare }] : [];
  });
}
