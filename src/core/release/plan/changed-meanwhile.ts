import type { ReleasePlan } from "./plan-release.ts";
import { type Refusal, refuseState } from "../move/refusals.ts";

/** KIR2012: a step is no longer what was agreed. `what` is a sentence without a full stop. */
export function changedMeanwhile({ release }: Pick<ReleasePlan, "release">, what: string): Refusal {
  return refuseState("KIR2012", `What ${release} was planned on has changed: ${what}.`, {
    hint: "Roll it back, or abort it and start it anew from what is live.",
  });
}
