import { go, movingNow, notNow, type ReleaseAdvance, takeBack, tryWayBack } from "./enter-step.ts";
import { mergeHands } from "../plan/expected-weights.ts";
import { describePhase, isMoving, stepOf } from "./release-phase.ts";
import type { ReleaseCommand, ReleaseEvent, ReleasePhase, ReleaseState, StepPlans } from "./release-state.ts";

type RollbackEvent = Extract<ReleaseEvent, Extract<ReleaseCommand, { kind: "rollback" }>>;
type RollingBack = Extract<ReleasePhase, { kind: "rollingBack" }>;

/** How long a way back that waits for endpoints lets pass before it looks again. */
export const looksAgainMs = 1_000;

/** Back to before the release; for one that is there already, forward again to where it was. */
export function rollBack(plan: StepPlans, state: ReleaseState, event: RollbackEvent): ReleaseAdvance {
  const { phase } = state;
  const { actor, atMs } = event;
  if (phase.kind === "rolledBack") return redo(plan, state, event);
  if (phase.kind === "rollingBack") return hurry(state, { phase, event });
  if (isMoving(phase)) return movingNow();
  const step = phase.kind === "done" ? plan.steps.length : stepOf(phase);
  const how = {
    ...(event.now === true ? { isNow: true as const } : {}),
    ...(event.despiteChanges === true ? { despiteChanges: true as const } : {}),
  };
  return takeBack(state, { step, actor, ...how }, atMs);
}

/** A part that is under way ends first; what is left then goes back at once. */
function hurry(
  state: ReleaseState,
  { phase, event }: { readonly phase: RollingBack; readonly event: RollbackEvent },
): ReleaseAdvance {
  if (event.now !== true) return notNow(`it is ${describePhase(phase)}; \`--now\` waits for no endpoints`);
  if (phase.isNow === true) return movingNow();
  return tryWayBack(state, { ...phase, actor: event.actor, isNow: true }, event.atMs);
}

/** The undo of a way back leads to exactly what was live when that began, however often it is asked for. */
function redo(plan: StepPlans, state: ReleaseState, { actor }: RollbackEvent): ReleaseAdvance {
  const { back } = state;
  if (plan.freeze !== undefined) return notNow("a freeze is in force, and the new version would get more again");
  if (back?.was === undefined) return notNow("the journal of that time does not say which weights it had");
  const step = back.place.kind === "done" ? plan.steps.length : back.place.step;
  return go({ ...state, phase: { kind: "redoing", step, actor } }, { kind: "redo", step, actor });
}

/** Takes the events of the parts of a way back. */
export function advanceWayBack(
  state: ReleaseState,
  event: Extract<ReleaseEvent, { kind: "turned" | "partlyBack" }>,
): ReleaseAdvance {
  const { phase, back } = state;
  if (event.kind === "turned" && event.subsets !== undefined) return turnSubsets(state);
  if (phase.kind !== "rollingBack" || back === undefined) return notNow("it is not being rolled back");
  if (event.kind === "turned") {
    const was = { ...event.was, ...back.was };
    // What is live now is what the part before has left, which a process that died could not say any more.
    const next = { ...back, was, left: { ...back.left, ...event.was }, gives: { ...back.gives, ...event.gives } };
    return go({ ...state, phase: { ...phase, waits: undefined }, back: next });
  }
  const { atMs, left, waits } = event;
  const next = { ...state, back: { ...back, left: { ...back.left, ...left } } };
  return tryWayBack(next, { ...phase, failures: [], waits }, phase.isNow === true ? atMs : atMs + looksAgainMs);
}

/** Told for the story alone: what is done to subsets follows from the steps, again and again until it is proved. */
function turnSubsets(state: ReleaseState): ReleaseAdvance {
  const { phase } = state;
  const isTurning = phase.kind === "rollingBack" || phase.kind === "redoing";
  return isTurning ? go(state) : notNow("it is not being rolled back");
}

/** Everything is back. */
export function endWayBack(state: ReleaseState, { step, reason }: RollingBack): ReleaseAdvance {
  const why = reason === undefined ? {} : { reason };
  return go({ ...state, phase: { kind: "rolledBack", step, ...why } });
}

/** A release that was brought back waits for a person, unless it was done. */
export function afterRedo(
  plan: StepPlans,
  state: ReleaseState,
  event: Extract<ReleaseEvent, { kind: "moved" | "moveFailed" }>,
): ReleaseAdvance {
  const { phase, back } = state;
  if (phase.kind !== "redoing" || back === undefined) return notNow("it is not being brought back");
  const { step, actor } = phase;
  if (event.kind === "moveFailed") {
    return go({ ...state, phase: { kind: "rolledBack", step, failure: event.reason } });
  }
  const { place, was } = back;
  const hand = was === undefined ? state.hand : mergeHands(plan, state.hand, { step, weights: was });
  // Whatever limit of its time there was, a person has decided past it.
  const next: ReleaseState = { ...state, hand, back: undefined, limit: "over" };
  if (place.kind === "done") return go({ ...next, phase: { kind: "done" } });
  return go({ ...next, phase: { ...place, reason: `brought back by ${actor}` } });
}
