import { go, movingNow, notNow, type ReleaseAdvance } from "./enter-step.ts";
import { mergeHands } from "../plan/expected-weights.ts";
import { actOnLimit } from "./keep-limit.ts";
import { waitOf } from "./paused-wait.ts";
import { describePhase, isBetweenMoves, isMoving, stepOf } from "./release-phase.ts";
import { renderSetShares } from "./render-shares.ts";
import type { ReleaseCommand, ReleaseEvent, ReleaseState, StepPlans } from "./release-state.ts";

type SetEvent = Extract<ReleaseEvent, Extract<ReleaseCommand, { kind: "set" }>>;

/** Any weights, in either direction, while the release waits or a step of it has failed. */
export function setWeights(plan: StepPlans, state: ReleaseState, event: SetEvent): ReleaseAdvance {
  const { phase } = state;
  const { actor, shares, atMs } = event;
  if (isMoving(phase)) return movingNow();
  if (phase.kind === "failed" && phase.during === "wayBack") {
    return notNow("its way back has failed, which is to be tried again first");
  }
  if (!isBetweenMoves(phase) && phase.kind !== "failed") return notNow(`it is ${describePhase(phase)}`);
  if (plan.freeze !== undefined && event.raises === true) {
    return notNow("a freeze is in force, and the new version would get more");
  }
  const step = stepOf(phase);
  const within = phase.kind === "paused" ? phase.within : (waitOf(phase, atMs) ?? null);
  return go(
    // What was asked for beforehand was asked for a release that goes its own way.
    { ...state, pausesAfterMove: false, skipsGates: false, phase: { kind: "setting", step, actor, shares, within } },
    { kind: "setWeights", step, actor, shares },
  );
}

/** A person who sets weights looks at what they do; nothing goes on by itself. */
export function afterSetting(
  plan: StepPlans,
  state: ReleaseState,
  event: Extract<ReleaseEvent, { kind: "moved" | "moveFailed" }>,
): ReleaseAdvance {
  const { phase } = state;
  if (phase.kind !== "setting") return notNow("no weights are being set");
  const { step, within, actor, shares } = phase;
  if (event.kind === "moveFailed") {
    const reason = `the weights of ${actor} were not set: ${event.reason.replace(/\.$/u, "")}`;
    const doubted = event.gives === undefined ? state.doubted : { ...state.doubted, ...event.gives };
    return settle(plan, { ...state, doubted, phase: { kind: "paused", step, within, reason } }, event.atMs);
  }
  const hand = event.left === undefined ? state.hand : mergeHands(plan, state.hand, { step, weights: event.left });
  const reason = `${renderSetShares(shares)} set by ${actor}`;
  return settle(plan, { ...state, hand, phase: { kind: "paused", step, within, reason } }, event.atMs);
}

/** Its time may have ended while weights moved. */
function settle(plan: StepPlans, state: ReleaseState, atMs: number): ReleaseAdvance {
  return state.limit === "due" ? actOnLimit(plan, state, atMs) : go(state);
}
