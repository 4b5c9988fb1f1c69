import { type Advanced, enterStep, go, notNow, type ReleaseAdvance, takeBack, tryWayBack } from "./enter-step.ts";
import { dropExpired } from "./gather-approvals.ts";
import { actOnLimit, endTime } from "./keep-limit.ts";
import { obeyCommand } from "./obey-command.ts";
import { isBetweenMoves, stepOf } from "./release-phase.ts";
import { advanceWayBack, afterRedo, endWayBack } from "./way-back.ts";
import { afterSetting } from "./set-weights.ts";
import type { ActiveFreeze, ReleaseEvent, ReleaseState, StepPlans, WayBack } from "./release-state.ts";

/** The state before the event `start`. */
export const unstarted: ReleaseState = {
  phase: { kind: "planned" },
  pausesAfterMove: false,
  skipsGates: false,
  startedBy: undefined,
  startedAtMs: undefined,
  limit: "running",
  passesFreezesUntilMs: null,
};

/**
 * The whole life of a release. Total over states and events: an event that a phase cannot take changes nothing and says
 * why. What the engine carries out is the effect alone, so a journal of the events gives the state again.
 */
export function advanceRelease(agreed: StepPlans, state: ReleaseState, event: ReleaseEvent): ReleaseAdvance {
  const plan: StepPlans = { ...agreed, freeze: standingFreeze(state, event) };
  if ("actor" in event) return obeyCommand(plan, state, event);
  switch (event.kind) {
    case "start":
      return start(plan, state, event);
    case "moved":
      return afterMove(plan, state, event);
    case "moveFailed":
      return afterFailure(plan, state, event);
    case "turned":
    case "partlyBack":
      return advanceWayBack(state, event);
    case "timeUp":
      return afterTime(plan, state, event.atMs);
    case "overdue":
      return endTime(plan, state, event.atMs);
    case "judged":
      return afterJudgement(plan, state, event);
    case "overruled":
      return isBetweenMoves(state.phase)
        ? failStep(state, { step: stepOf(state.phase), reason: event.reason })
        : notNow("it is not between two moves");
  }
}

/** A freeze that somebody decided to pass stands no more, until another one follows. */
function standingFreeze({ passesFreezesUntilMs }: ReleaseState, { freeze }: ReleaseEvent): ActiveFreeze | undefined {
  const isPassed = freeze !== undefined && passesFreezesUntilMs !== null && freeze.untilMs <= passesFreezesUntilMs;
  return isPassed ? undefined : freeze;
}

function start(
  plan: StepPlans,
  state: ReleaseState,
  { atMs, startedBy, ready }: Extract<ReleaseEvent, { kind: "start" }>,
): ReleaseAdvance {
  return state.phase.kind === "planned"
    ? enterStep(plan, { ...state, startedBy, startedAtMs: atMs, ready }, { step: 0, atMs })
    : notNow("it has begun already");
}

function afterTime(plan: StepPlans, state: ReleaseState, atMs: number): ReleaseAdvance {
  const { phase } = state;
  if (phase.kind === "holding") return enterStep(plan, state, { step: phase.step + 1, atMs });
  if (phase.kind === "frozen") return enterStep(plan, state, { step: phase.step, atMs });
  return phase.kind === "awaiting"
    ? dropExpired(plan, state, { phase, atMs })
    : notNow("it is not waiting for the time");
}

/** A judge that fails a release takes it back; nobody has to be awake for that. */
function afterJudgement(
  plan: StepPlans,
  state: ReleaseState,
  { atMs, verdict, detail }: Extract<ReleaseEvent, { kind: "judged" }>,
): ReleaseAdvance {
  const { phase } = state;
  if (phase.kind !== "checking") return notNow("nothing is being judged");
  const { step } = phase;
  switch (verdict) {
    case "pass":
      return enterStep(plan, state, { step: step + 1, atMs });
    case "unknown":
      return go({ ...state, phase: { kind: "paused", step, within: { kind: "check" }, reason: detail } });
    case "fail":
      return takeBack(state, { step, actor: "kirikae", reason: detail }, atMs);
  }
}

type MovedEvent = Extract<ReleaseEvent, { kind: "moved" }>;

function afterMove(plan: StepPlans, state: ReleaseState, event: MovedEvent): ReleaseAdvance {
  const { phase } = state;
  const { atMs, failed } = event;
  if (phase.kind === "rollingBack") return endWayBack(state, phase);
  if (phase.kind === "redoing") return afterRedo(plan, state, event);
  if (phase.kind === "setting") return afterSetting(plan, state, event);
  if (phase.kind !== "moving") return notNow("no weights are being moved");
  const { step } = phase;
  const { maxFailed } = plan.spec;
  if (maxFailed !== undefined && failed > maxFailed) {
    const reason = `${failed} requests failed while weights moved, and ${maxFailed} may`;
    return takeBack(state, { step, actor: "kirikae", reason }, atMs);
  }
  const isLast = plan.steps[step + 1] === undefined;
  const next: ReleaseState = { ...state, pausesAfterMove: false };
  // What ends with this move was in time, or as good as.
  if (state.limit === "due" && !isLast) return actOnLimit(plan, next, atMs);
  if (state.pausesAfterMove && !isLast) {
    return go({ ...next, phase: { kind: "paused", step: step + 1, within: null } });
  }
  return enterStep(plan, next, { step: step + 1, atMs });
}

/** How long after a failure the way back is tried again; a proxy that ended is back by then. */
const triesAfterMs = [1_000, 2_000, 4_000];

function afterFailure(
  plan: StepPlans,
  state: ReleaseState,
  event: Extract<ReleaseEvent, { kind: "moveFailed" }>,
): ReleaseAdvance {
  const { atMs, reason } = event;
  const { phase } = state;
  if (phase.kind === "moving") {
    const failed = failStep(state, { step: phase.step, reason });
    return state.limit === "due" ? actOnLimit(plan, failed.state, atMs) : failed;
  }
  if (phase.kind === "setting") return afterSetting(plan, state, event);
  if (phase.kind === "redoing") return afterRedo(plan, state, event);
  if (phase.kind !== "rollingBack") return notNow("no weights are being moved");
  const { step, failures } = phase;
  const waitMs = triesAfterMs[failures.length];
  return waitMs === undefined
    ? go({ ...state, phase: { kind: "failed", step, during: "wayBack", reason, ...causeOf(phase) } })
    : tryWayBack(state, { ...phase, failures: [...failures, reason] }, atMs + waitMs);
}

function causeOf({ reason }: WayBack): { readonly cause?: string } {
  return reason === undefined ? {} : { cause: reason };
}

/** What was asked for beforehand, a pause or a full promotion, was asked for a release that goes well. */
function failStep(state: ReleaseState, { step, reason }: { readonly step: number; readonly reason: string }): Advanced {
  const phase = { kind: "failed", step, during: "step", reason } as const;
  return go({ ...state, pausesAfterMove: false, skipsGates: false, phase });
}
