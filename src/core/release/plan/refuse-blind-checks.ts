import type { Check } from "../../manifest/release.ts";
import type { RouteTable } from "../../routes/route-table.ts";
import { checkedDestinations } from "./count-versions.ts";
import type { PlannedStep, ReleasePlan } from "./plan-release.ts";
import { type Refusal, refuseInput } from "../move/refusals.ts";

/** Refuses a release with a check that could never say anything, rather than pause it when its time is over. */
export function refuseBlindChecks(
  plan: ReleasePlan,
  { destinations }: Pick<RouteTable, "destinations">,
): Refusal | undefined {
  const isEjected = [...checkedDestinations(plan).fresh].some(
    (id) => destinations.get(id)?.policy.outlierDetection !== undefined,
  );
  for (const [index, step] of plan.steps.entries()) {
    const check = checkIn(step);
    const where = `Step ${index + 1} (${step.kind}) of ${plan.release}`;
    if (check?.maxEjections !== undefined && !isEjected) {
      return refuseInput(
        "KIR2050",
        `${where} judges ejections, and nothing takes endpoints of ${plan.to} out of rotation.`,
        {
          hint: "Give the DestinationRule an outlierDetection, or leave ejections out.",
        },
      );
    }
    if (check?.maxDifferentPercent !== undefined && !comparesBefore(plan.steps.slice(0, index))) {
      return refuseInput("KIR2050", `${where} judges differences, and no step before it compares answers.`, {
        hint: "Give a mirror step before it a compare, or leave differences out.",
      });
    }
  }
  return undefined;
}

function checkIn(step: PlannedStep): Check | undefined {
  if (step.kind === "check") return step;
  return step.kind === "bake" ? step.check : undefined;
}

function comparesBefore(steps: readonly PlannedStep[]): boolean {
  return steps.some((step) => step.kind === "mirror" && step.compare !== undefined);
}
