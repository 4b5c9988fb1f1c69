import type { KirikaeError } from "../../core/diagnostics/error.ts";
import type { ReleasePlan } from "../../core/release/plan/plan-release.ts";
import { complainAdditions, refuseComparison } from "../../core/site/complain-additions.ts";

/** What a Release asks for that Istio has no words for; undefined where it can be carried out in a cluster. */
export function complainPlan({ steps, release }: ReleasePlan): KirikaeError | undefined {
  const compares = steps.some((step) => step.kind === "mirror" && step.compare !== undefined);
  if (compares) return refuseComparison(release).error;
  const additions = steps.flatMap((step) => ("addition" in step ? [step.addition] : []));
  return complainAdditions(additions.map((addition) => ({ release, addition })))?.error;
}
