import { describeComparison } from "../../core/release/mirror/describe-comparison.ts";
import { describeMark } from "../../core/release/plan/describe-mark.ts";
import type { RuleReach } from "../../core/release/plan/describe-reach.ts";
import type { PlannedStep, ReleasePlan } from "../../core/release/plan/plan-release.ts";
import { splitsOfAddition } from "../../core/routes/add-routes.ts";
import type { Ink } from "../ink.ts";

type AddingStep = Extract<PlannedStep, { readonly addition: unknown }>;

interface AdditionParts {
  readonly plan: Pick<ReleasePlan, "to">;
  /** Which requests the rules take; without it rules are named by their splits. */
  readonly reach: readonly RuleReach[];
  readonly ink: Ink;
}

/** Lines that say which requests go another way because of an addition, which cannot, and what undoes it. */
export function renderAddition(step: AddingStep, { plan: { to }, reach, ink }: AdditionParts): readonly string[] {
  const { addition } = step;
  const where = requestsOf(splitsOfAddition(addition), reach);
  switch (addition.kind) {
    case "preview": {
      const marks = addition.marks.map((mark) => `requests with ${describeMark(mark)} go to ${to}`);
      return [
        ...marks,
        ...where.map((requests) => `at ${requests}`),
        "no other request changes its way",
        ink.dim("undo: they go where the weights say"),
      ];
    }
    case "mirror": {
      if (addition.percent === 0) return ["nothing is copied any more; no request changes its way"];
      const copied = `${addition.percent} % of ${addition.methods.join(", ")} requests are copied to ${to}`;
      const compare = step.kind === "mirror" ? step.compare : undefined;
      return [
        compare === undefined ? copied : `${copied}, and kirikae ${describeComparison(compare, addition.methods)}`,
        ...where.map((requests) => `at ${requests}`),
        "no request changes its way, and nobody waits for what copies are answered",
        ink.dim("undo: nothing is copied"),
      ];
    }
    case "affinity":
      return [
        `visitors keep the version of their first visit, by the cookie ${addition.cookie}, for as long as the weights let them`,
        ...where.map((requests) => `at ${requests}`),
        "no version gets another share",
        ink.dim("undo: each request is drawn by itself"),
      ];
  }
}

function requestsOf(splits: readonly string[], reach: readonly RuleReach[]): readonly string[] {
  const known = new Map(reach.map((rule) => [rule.split, rule]));
  const named = splits.map((split) => {
    const rule = known.get(split);
    return rule === undefined ? `the rule ${split}` : `${rule.virtualService} ${rule.rule}: ${rule.requests}`;
  });
  return [...new Set(named)];
}
