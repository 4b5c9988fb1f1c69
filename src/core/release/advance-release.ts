import type {
  ReleaseCommand,
  ReleaseEffect,
  ReleaseEvent,
  ReleasePhase,
  ReleaseState,
  StepPlans,
} from "./release-state.ts";

interface ReleaseStep {
  readonly state: ReleaseState;
  readonly effect: ReleaseEffect | undefined;
}

/** Why a command cannot be taken now, in words that follow "because". */
interface NotNow {
  readonly kind: "notNow";
  readonly because: string;
}

export type ReleaseAdvance = ({ readonly kind: "step" } & ReleaseStep) | NotNow;

/** The state before the event `start`. */
export const unstarted: ReleaseState = {
  phase: { kind: "planned" },
  pausesAfterMove: false,
  skipsGates: false,
};

/**
 * The whole life of a release. Total over states and events: an event that a phase cannot take changes nothing and says
 * why. What the engine carries out is the effect alone, so a journal of the events gives the state again.
 */
export function advanceRelease(plan: StepPlans, state: ReleaseState, event: ReleaseEvent): ReleaseAdvance {
  if ("actor" in event) return isOver(state.phase) ? obeyEnded(plan, state, event) : obey(plan, state, event);
  switch (event.kind) {
    case "start":
      return state.phase.kind === "planned"
        ? enter(plan, state, { step: 0, atMs: event.atMs })
        : notNow("it has begun already");
    case "moved":
      return afterMove(plan, state, event);
    case "moveFailed":
      return afterFailure(state, event.reason);
    case "timeUp":
      return state.phase.kind === "holding"
        ? enter(plan, state, { step: state.phase.step + 1, atMs: event.atMs })
        : notNow("it is not waiting for the time");
    case "judged":
      return judged(plan, state, event);
  }
}

interface Entry {
  readonly step: number;
  readonly atMs: number;
}

/** Begins a step, or ends the release after the last one. */
function enter(plan: StepPlans, state: ReleaseState, { step, atMs }: Entry): ReleaseAdvance {
  const planned = plan.steps[step];
  if (planned === undefined) return go({ ...state, phase: { kind: "done" } });
  switch (planned.kind) {
    case "weight":
    case "switch":
      return go({ ...state, phase: { kind: "moving", step } }, { kind: "moveForward", step });
    case "hold": {
      if (state.skipsGates) return enter(plan, state, { step: step + 1, atMs });
      const untilMs = planned.durationMs === undefined ? null : atMs + planned.durationMs;
      return hold(state, { step, untilMs });
    }
    case "check":
      if (state.skipsGates) return enter(plan, state, { step: step + 1, atMs });
      return go({ ...state, phase: { kind: "checking", step } }, { kind: "judge", step });
    case "approve":
      if (state.skipsGates) return enter(plan, state, { step: step + 1, atMs });
      return go({ ...state, phase: { kind: "awaiting", step, approvedBy: [] } });
  }
}

function hold(state: ReleaseState, at: { readonly step: number; readonly untilMs: number | null }): ReleaseAdvance {
  const effect = at.untilMs === null ? undefined : ({ kind: "wakeAt", atMs: at.untilMs } as const);
  return go({ ...state, phase: { kind: "holding", ...at } }, effect);
}

/** A judge that fails a release takes it back; nobody has to be awake for that. */
function judged(
  plan: StepPlans,
  state: ReleaseState,
  { atMs, verdict, detail }: Extract<ReleaseEvent, { kind: "judged" }>,
): ReleaseAdvance {
  const { phase } = state;
  if (phase.kind !== "checking") return notNow("nothing is being judged");
  switch (verdict) {
    case "pass":
      return enter(plan, state, { step: phase.step + 1, atMs });
    case "unknown":
      return go({ ...state, phase: { kind: "paused", step: phase.step, remainingMs: null, reason: detail } });
    case "fail":
      return takeBack(phase.step, detail);
  }
}

function takeBack(step: number, reason: string): ReleaseAdvance {
  const state: ReleaseState = {
    phase: { kind: "rollingBack", step, reason },
    pausesAfterMove: false,
    skipsGates: false,
  };
  return go(state, { kind: "moveBack", actor: "kirikae" });
}

type MovedEvent = Extract<ReleaseEvent, { kind: "moved" }>;

function afterMove(plan: StepPlans, state: ReleaseState, { atMs, failed }: MovedEvent): ReleaseAdvance {
  const { phase } = state;
  if (phase.kind === "rollingBack") return go({ ...state, phase: { ...phase, kind: "rolledBack" } });
  if (phase.kind !== "moving") return notNow("no weights are being moved");
  const { maxFailed } = plan.spec;
  if (maxFailed !== undefined && failed > maxFailed) {
    return takeBack(phase.step, `${failed} requests failed while weights moved, and ${maxFailed} may`);
  }
  const isLast = plan.steps[phase.step + 1] === undefined;
  if (state.pausesAfterMove && !isLast) {
    const paused = { kind: "paused", step: phase.step + 1, remainingMs: null } as const;
    return go({ ...state, pausesAfterMove: false, phase: paused });
  }
  return enter(plan, { ...state, pausesAfterMove: false }, { step: phase.step + 1, atMs });
}

/** A way back that failed is tried again by the next `rollback`. */
function afterFailure(state: ReleaseState, reason: string): ReleaseAdvance {
  const { phase } = state;
  if (phase.kind !== "moving" && phase.kind !== "rollingBack") return notNow("no weights are being moved");
  return go({
    ...state,
    pausesAfterMove: false,
    skipsGates: false,
    phase: { kind: "failed", step: phase.step, reason },
  });
}

type CommandEvent = Extract<ReleaseEvent, ReleaseCommand>;

function obeyEnded(plan: StepPlans, state: ReleaseState, event: CommandEvent): ReleaseAdvance {
  return event.kind === "rollback" && state.phase.kind !== "rolledBack"
    ? rollBack(plan, state, event)
    : notNow(`it is over: ${describePhase(state.phase)}`);
}

function obey(plan: StepPlans, state: ReleaseState, event: CommandEvent): ReleaseAdvance {
  switch (event.kind) {
    case "promote":
      return promote(plan, state, event);
    case "pause":
      return pause(state, event.atMs);
    case "resume":
      return resume(plan, state, event.atMs);
    case "approve":
      return approve(plan, state, event);
    case "reject":
      return reject(state, event);
    case "retry":
      return retry(plan, state, event.atMs);
    case "abort":
      return abort(state, event);
    case "rollback":
      return rollBack(plan, state, event);
  }
}

function reject(state: ReleaseState, event: CommandEvent): ReleaseAdvance {
  const { phase } = state;
  return phase.kind === "awaiting"
    ? go({ ...state, phase: { kind: "failed", step: phase.step, reason: rejectedBy(event) } })
    : notNow("it does not ask for approval");
}

function retry(plan: StepPlans, state: ReleaseState, atMs: number): ReleaseAdvance {
  const { phase } = state;
  return phase.kind === "failed" ? enter(plan, state, { step: phase.step, atMs }) : notNow("nothing has failed");
}

function abort(state: ReleaseState, { actor }: CommandEvent): ReleaseAdvance {
  const { phase } = state;
  if (isMoving(phase)) return movingNow();
  return go({ ...state, phase: { kind: "aborted", step: stepOf(phase), reason: `stopped by ${actor}` } });
}

function movingNow(): NotNow {
  return notNow("weights are being moved; ask again in a moment");
}

function rejectedBy({ actor, reason }: CommandEvent): string {
  return reason === null ? `rejected by ${actor}` : `rejected by ${actor}: ${reason}`;
}

/** `promote` ends a hold or a pause; `promote --full` passes every gate that is left, and approvals with them. */
function promote(
  plan: StepPlans,
  state: ReleaseState,
  { full, atMs }: Extract<CommandEvent, { kind: "promote" }>,
): ReleaseAdvance {
  const { phase } = state;
  const next: ReleaseState = { ...state, skipsGates: state.skipsGates || full };
  if (phase.kind === "holding" || phase.kind === "checking") return enter(plan, next, { step: phase.step + 1, atMs });
  if (phase.kind === "paused") {
    // What was under way is passed; a step that has not begun is not.
    const isUnderWay = phase.remainingMs !== null || phase.reason !== undefined;
    return enter(plan, next, { step: isUnderWay ? phase.step + 1 : phase.step, atMs });
  }
  if (phase.kind === "awaiting" && full) return enter(plan, next, { step: phase.step + 1, atMs });
  if (phase.kind === "moving" && full) return go(next);
  return notNow(
    phase.kind === "awaiting" ? "it asks for approval, not for promotion" : `it is ${describePhase(phase)}`,
  );
}

function pause(state: ReleaseState, atMs: number): ReleaseAdvance {
  const { phase } = state;
  if (phase.kind === "moving") return go({ ...state, pausesAfterMove: true });
  if (phase.kind === "holding") {
    const remainingMs = phase.untilMs === null ? null : Math.max(0, phase.untilMs - atMs);
    return go({ ...state, phase: { kind: "paused", step: phase.step, remainingMs } });
  }
  if (phase.kind === "awaiting" || phase.kind === "checking") {
    return go({ ...state, phase: { kind: "paused", step: phase.step, remainingMs: null } });
  }
  return notNow(`it is ${describePhase(phase)}`);
}

/** A hold goes on for what was left of it; anything else begins its step anew. */
function resume(plan: StepPlans, state: ReleaseState, atMs: number): ReleaseAdvance {
  const { phase } = state;
  if (phase.kind !== "paused") return notNow("it is not paused");
  if (phase.remainingMs === null) return enter(plan, state, { step: phase.step, atMs });
  return hold(state, { step: phase.step, untilMs: atMs + phase.remainingMs });
}

/** Each person counts once. */
function approve(plan: StepPlans, state: ReleaseState, { actor, atMs }: CommandEvent): ReleaseAdvance {
  const { phase } = state;
  if (phase.kind !== "awaiting") return notNow("it does not ask for approval");
  if (phase.approvedBy.includes(actor)) return notNow(`${actor} has approved already`);
  const approvedBy = [...phase.approvedBy, actor];
  const planned = plan.steps[phase.step];
  const wanted = planned?.kind === "approve" ? planned.people : 1;
  if (approvedBy.length < wanted) return go({ ...state, phase: { ...phase, approvedBy } });
  return enter(plan, state, { step: phase.step + 1, atMs });
}

function rollBack(plan: StepPlans, state: ReleaseState, { actor }: CommandEvent): ReleaseAdvance {
  if (isMoving(state.phase)) return movingNow();
  const step = state.phase.kind === "done" ? plan.steps.length : stepOf(state.phase);
  const rolling: ReleaseState = { phase: { kind: "rollingBack", step }, pausesAfterMove: false, skipsGates: false };
  return go(rolling, { kind: "moveBack", actor });
}

/** Where nothing goes on any more; only a rollback begins anew from there. */
export function isOver({ kind }: ReleasePhase): boolean {
  return kind === "done" || kind === "aborted" || kind === "rolledBack";
}

function isMoving({ kind }: ReleasePhase): boolean {
  return kind === "moving" || kind === "rollingBack";
}

function stepOf(phase: ReleasePhase): number {
  return "step" in phase ? phase.step : 0;
}

/** A few words that follow "it is". */
export function describePhase(phase: ReleasePhase): string {
  switch (phase.kind) {
    case "moving":
      return "moving weights";
    case "holding":
      return "holding";
    case "checking":
      return "checking what the new version answers";
    case "awaiting":
      return "waiting for approval";
    case "rollingBack":
      return "being rolled back";
    case "rolledBack":
      return "rolled back";
    case "planned":
    case "paused":
    case "failed":
    case "done":
    case "aborted":
      return phase.kind;
  }
}

function go(state: ReleaseState, effect?: ReleaseEffect): ReleaseAdvance {
  return { kind: "step", state, effect };
}

function notNow(because: string): NotNow {
  return { kind: "notNow", because };
}
