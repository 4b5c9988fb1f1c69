import type { Approval } from "../../manifest/release.ts";
import { enterStep, go, notNow, type ReleaseAdvance } from "./enter-step.ts";
import type { GivenApproval, ReleasePhase, ReleaseState, StepPlans } from "./release-state.ts";

type Awaiting = Extract<ReleasePhase, { kind: "awaiting" }>;

/** Whoever asks nothing special asks one person. */
const onePerson: Approval = { people: 1, question: undefined, expiresMs: undefined, letsStarterApprove: true };

/** What the step that waits asks for. */
export function approvalOf({ steps }: Pick<StepPlans, "steps">, step: number): Approval {
  const planned = steps[step];
  return planned?.kind === "approve" ? planned : onePerson;
}

/** Until when a yes counts; undefined for ever. */
export function expiryOf({ atMs }: GivenApproval, { expiresMs }: Approval): number | undefined {
  return expiresMs === undefined ? undefined : atMs + expiresMs;
}

/** Waits for those who have not said yes, with what still counts of what others have said. */
export function awaitApprovals(
  plan: StepPlans,
  state: ReleaseState,
  { step, given, atMs }: { readonly step: number; readonly given: readonly GivenApproval[]; readonly atMs: number },
): ReleaseAdvance {
  const asked = approvalOf(plan, step);
  const approvals = given.filter((one) => (expiryOf(one, asked) ?? Infinity) > atMs);
  const wakeAtMs = earliestExpiry(asked, approvals);
  const effect = wakeAtMs === undefined ? undefined : ({ kind: "wakeAt", atMs: wakeAtMs } as const);
  return go({ ...state, phase: { kind: "awaiting", step, approvals } }, effect);
}

/** When the first yes no longer counts; undefined where each counts for ever. */
export function earliestExpiry(asked: Approval, approvals: readonly GivenApproval[]): number | undefined {
  const [first] = approvals.flatMap((one) => expiryOf(one, asked) ?? []).toSorted((a, b) => a - b);
  return first;
}

/** Each person counts once, and the last one lets the release go on. */
export function giveApproval(plan: StepPlans, state: ReleaseState, approval: GivenApproval): ReleaseAdvance {
  const { phase } = state;
  if (phase.kind !== "awaiting") return notNow("it does not ask for approval");
  const { actor, atMs } = approval;
  const { people, letsStarterApprove } = approvalOf(plan, phase.step);
  if (!letsStarterApprove && actor === state.startedBy) {
    return notNow(`${actor} started it, and ${people === 1 ? "somebody else has" : "others have"} to approve it`);
  }
  const gathered = awaitApprovals(plan, state, { step: phase.step, given: phase.approvals, atMs });
  if (gathered.kind === "notNow" || gathered.state.phase.kind !== "awaiting") return gathered;
  const { approvals } = gathered.state.phase;
  if (approvals.some((one) => one.actor === actor)) return notNow(`${actor} has approved already${othersOf(people)}`);
  const given = [...approvals, approval];
  if (given.length >= people) return enterStep(plan, state, { step: phase.step + 1, atMs });
  return awaitApprovals(plan, state, { step: phase.step, given, atMs });
}

function othersOf(people: number): string {
  return `, and ${people} different people are asked for`;
}

/** What still counts when the time of one yes is over. */
export function dropExpired(plan: StepPlans, state: ReleaseState, { phase, atMs }: Dropped): ReleaseAdvance {
  return awaitApprovals(plan, state, { step: phase.step, given: phase.approvals, atMs });
}

interface Dropped {
  readonly phase: Awaiting;
  readonly atMs: number;
}
