import type { Approval, Check, ReleaseSpec, ReleaseStep, ReleaseStrategy } from "../../manifest/release.ts";
import type { PlannedStep, ReleasePlan } from "./plan-release.ts";

/** What checks were before they could do more: they counted at once, and judged by the success rate alone. */
const plainCheck = { initialDelayMs: 0, latency: [], judges: [], isDryRun: false } satisfies Partial<Check>;

/** Everybody's yes counted, and for ever. */
const plainApproval = { letsStarterApprove: true } satisfies Partial<Approval>;

const plainSpec = { freezes: [], notifications: [] } satisfies Partial<ReleaseSpec>;

/**
 * Gives a plan of journal format 2 the fields that came later, with the values that mean what it meant when it was
 * agreed upon. Fields that may be undefined stay away, as JSON leaves them.
 */
export function completePlan(plan: ReleasePlan): ReleasePlan {
  const { steps, spec } = plan;
  return {
    ...plan,
    steps: steps.map((step): PlannedStep => completeGate(step)),
    spec: { ...plainSpec, ...spec, strategy: completeStrategy(spec.strategy) },
  };
}

/** Format 2 has `bakeMs` where a bake now is an object. */
function completeStrategy(strategy: ReleaseStrategy & { readonly bakeMs?: number }): ReleaseStrategy {
  switch (strategy.kind) {
    case "blueGreen": {
      const { bakeMs, ...given } = strategy;
      const bake = bakeMs === undefined ? given.bake : { durationMs: bakeMs, check: undefined };
      return { ...given, bake, ...completeGates(given) };
    }
    case "canary":
      return { ...strategy, ...completeGates(strategy) };
    case "steps":
      return { ...strategy, steps: strategy.steps.map((step): ReleaseStep => completeGate(step)) };
    // Format 2 has none of these.
    case "abTest":
    case "mirrorFirst":
    case "cohorts":
      return strategy;
  }
}

interface GatesOfPreset {
  readonly check: Check | undefined;
  readonly approve: Approval | undefined;
}

function completeGates({ check, approve }: GatesOfPreset): GatesOfPreset {
  return {
    check: check === undefined ? undefined : { ...plainCheck, ...check },
    approve: approve === undefined ? undefined : { ...plainApproval, ...approve },
  };
}

type GateStep = ({ readonly kind: "check" } & Check) | ({ readonly kind: "approve" } & Approval);

/** Steps of other kinds are as they were. */
function completeGate<Step extends { readonly kind: string }>(step: Step | GateStep): Step | GateStep {
  if (isCheck(step)) return { ...plainCheck, ...step };
  return isApproval(step) ? { ...plainApproval, ...step } : step;
}

function isCheck(step: { readonly kind: string }): step is { readonly kind: "check" } & Check {
  return step.kind === "check";
}

function isApproval(step: { readonly kind: string }): step is { readonly kind: "approve" } & Approval {
  return step.kind === "approve";
}
