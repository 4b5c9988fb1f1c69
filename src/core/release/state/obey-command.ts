import { enterStep, go, hold, movingNow, notNow, type ReleaseAdvance, takeBack } from "./enter-step.ts";
import { awaitApprovals, giveApproval } from "./gather-approvals.ts";
import { describePhase, isMoving, isOver, stepOf } from "./release-phase.ts";
import { waitOf } from "./paused-wait.ts";
import { rollBack } from "./way-back.ts";
import { setWeights } from "./set-weights.ts";
import type { ReleaseCommand, ReleaseEvent, ReleasePhase, ReleaseState, StepPlans } from "./release-state.ts";

export type CommandEvent = Extract<ReleaseEvent, ReleaseCommand>;

/** What a release does when it is told something; one that is over takes only the order to go back. */
export function obeyCommand(plan: StepPlans, state: ReleaseState, event: CommandEvent): ReleaseAdvance {
  const { phase } = state;
  if (isOver(phase) && event.kind !== "rollback") {
    return notNow(`it is over: ${describePhase(phase)}`);
  }
  switch (event.kind) {
    case "promote":
      return promote(plan, state, event);
    case "pause":
      return pause(state, event.atMs);
    case "resume":
      return resume(plan, state, event.atMs);
    case "approve":
      return giveApproval(plan, state, { actor: event.actor, atMs: event.atMs, reason: event.reason });
    case "reject":
      return reject(state, event);
    case "retry":
      return retry(plan, state, event);
    case "abort":
      return abort(state, event);
    case "rollback":
      return rollBack(plan, state, event);
    case "set":
      return setWeights(plan, state, event);
  }
}

type Promotion = Extract<CommandEvent, { kind: "promote" }>;

/** `promote` ends a hold, a check or a pause; `promote --full` passes every hold and check that is left. Approvals stay. */
function promote(plan: StepPlans, state: ReleaseState, event: Promotion): ReleaseAdvance {
  if (event.despiteFreeze === true && event.reason === null) return notNow("passing a freeze needs a reason");
  return event.despiteFreeze === true && plan.freeze !== undefined
    ? goOn({ ...plan, freeze: undefined }, { ...state, passesFreezesUntilMs: plan.freeze.untilMs }, event)
    : goOn(plan, state, event);
}

function goOn(plan: StepPlans, state: ReleaseState, { full, atMs }: Promotion): ReleaseAdvance {
  const { phase } = state;
  const next: ReleaseState = { ...state, skipsGates: state.skipsGates || full };
  if (phase.kind === "frozen" && plan.freeze !== undefined) {
    const end = new Date(plan.freeze.untilMs).toISOString().replace(/\.\d+Z$/u, "Z");
    return notNow(`a freeze is in force until ${end}, which \`--despite-freeze\` passes with a reason`);
  }
  if (phase.kind === "frozen") return enterStep(plan, next, { step: phase.step, atMs });
  if (phase.kind === "holding" || phase.kind === "checking")
    return enterStep(plan, next, { step: phase.step + 1, atMs });
  if (phase.kind === "paused") return promotePaused(plan, next, { phase, atMs });
  if (phase.kind === "moving" && full) return go(next);
  return notNow(
    phase.kind === "awaiting" ? "it asks for approval, not for promotion" : `it is ${describePhase(phase)}`,
  );
}

type Paused = Extract<ReleasePhase, { kind: "paused" }>;

/** A hold or a check that was under way is passed; a step that has not begun is not, and no approval is given by it. */
function promotePaused(
  plan: StepPlans,
  state: ReleaseState,
  { phase, atMs }: { readonly phase: Paused; readonly atMs: number },
): ReleaseAdvance {
  const { step, within } = phase;
  if (within === null) return enterStep(plan, state, { step, atMs });
  if (within.kind !== "approve") return enterStep(plan, state, { step: step + 1, atMs });
  return awaitApprovals(plan, state, { step, given: within.approvals, atMs });
}

function pause(state: ReleaseState, atMs: number): ReleaseAdvance {
  const { phase } = state;
  if (phase.kind === "moving") return go({ ...state, pausesAfterMove: true });
  const within = waitOf(phase, atMs);
  if (within === undefined) return notNow(`it is ${describePhase(phase)}`);
  return go({ ...state, phase: { kind: "paused", step: stepOf(phase), within } });
}

/** A hold goes on for what was left of it, and an approval with those that were given; a check begins anew. */
function resume(plan: StepPlans, state: ReleaseState, atMs: number): ReleaseAdvance {
  const { phase } = state;
  if (phase.kind !== "paused") return notNow("it is not paused");
  const { step, within } = phase;
  switch (within?.kind) {
    case "hold":
      return hold(state, { step, untilMs: within.remainingMs === null ? null : atMs + within.remainingMs });
    case "approve":
      return awaitApprovals(plan, state, { step, given: within.approvals, atMs });
    case "check":
    case undefined:
      return enterStep(plan, state, { step, atMs });
  }
}

function reject(state: ReleaseState, event: CommandEvent): ReleaseAdvance {
  const { phase } = state;
  return phase.kind === "awaiting"
    ? go({ ...state, phase: { kind: "failed", step: phase.step, during: "step", reason: rejectedBy(event) } })
    : notNow("it does not ask for approval");
}

function rejectedBy({ actor, reason }: CommandEvent): string {
  return reason === null ? `rejected by ${actor}` : `rejected by ${actor}: ${reason}`;
}

/** Tries again what has failed, which may be the way back. */
function retry(plan: StepPlans, state: ReleaseState, { actor, atMs }: CommandEvent): ReleaseAdvance {
  const { phase } = state;
  if (phase.kind !== "failed") return notNow("nothing has failed");
  return phase.during === "wayBack"
    ? takeBack(state, { step: phase.step, actor, ...(phase.cause === undefined ? {} : { reason: phase.cause }) }, atMs)
    : enterStep(plan, state, { step: phase.step, atMs });
}

function abort(state: ReleaseState, { actor }: CommandEvent): ReleaseAdvance {
  const { phase } = state;
  const isWaiting = phase.kind === "rollingBack" && phase.waits !== undefined;
  if (isMoving(phase) && !isWaiting) return movingNow();
  return go({ ...state, phase: { kind: "aborted", step: stepOf(phase), reason: `stopped by ${actor}` } });
}
