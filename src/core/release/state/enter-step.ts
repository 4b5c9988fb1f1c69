import { isBeforeStep, placeOf } from "./release-place.ts";
import { givesMore } from "../plan/gives-more.ts";
import type { PlannedStep } from "../plan/plan-release.ts";
import type { ReleaseEffect, ReleaseState, StepPlans, WayBack } from "./release-state.ts";

/** Why a command cannot be taken now, in words that follow "because". */
export interface NotNow {
  readonly kind: "notNow";
  readonly because: string;
}

export interface Advanced {
  readonly kind: "step";
  readonly state: ReleaseState;
  readonly effect: ReleaseEffect | undefined;
}

export type ReleaseAdvance = Advanced | NotNow;

interface Entry {
  readonly step: number;
  readonly atMs: number;
}

/** Begins a step, or ends the release after the last one. */
export function enterStep(plan: StepPlans, state: ReleaseState, { step, atMs }: Entry): ReleaseAdvance {
  const planned = plan.steps[step];
  if (planned === undefined) return go({ ...state, phase: { kind: "done" } });
  const { freeze } = plan;
  if (freeze !== undefined && givesMore(planned, plan.spec.to)) {
    return go({ ...state, phase: { kind: "frozen", step, ...freeze } }, { kind: "wakeAt", atMs: freeze.untilMs });
  }
  if (!isGate(planned)) return go({ ...state, phase: { kind: "moving", step } }, forwardEffect(plan, step));
  // What people have to approve is passed by nobody else.
  if (state.skipsGates && planned.kind !== "approve") return enterStep(plan, state, { step: step + 1, atMs });
  return enterGate(planned, state, { step, atMs });
}

/** A step that waits and changes nothing. */
type Gate = Extract<PlannedStep, { readonly kind: "hold" | "check" | "bake" | "approve" }>;

function isGate(step: PlannedStep): step is Gate {
  return step.kind === "hold" || step.kind === "check" || step.kind === "bake" || step.kind === "approve";
}

function enterGate(gate: Gate, state: ReleaseState, { step, atMs }: Entry): ReleaseAdvance {
  switch (gate.kind) {
    case "hold":
      return hold(state, { step, untilMs: gate.durationMs === undefined ? null : atMs + gate.durationMs });
    case "bake":
      if (gate.check === undefined) return hold(state, { step, untilMs: atMs + gate.durationMs });
      return go({ ...state, phase: { kind: "checking", step } }, { kind: "judge", step });
    case "check":
      return go({ ...state, phase: { kind: "checking", step } }, { kind: "judge", step });
    case "approve":
      return go({ ...state, phase: { kind: "awaiting", step, approvals: [] } });
  }
}

/** How a step that changes what the proxies do is carried out. */
export function forwardEffect({ steps }: StepPlans, step: number): ReleaseEffect {
  const planned = steps[step];
  if (planned?.kind === "subsets") return { kind: "editSubsets", step };
  return planned === undefined || "moves" in planned ? { kind: "moveForward", step } : { kind: "layAdditions", step };
}

/** Waits for a time, or for somebody where there is none. */
export function hold(
  state: ReleaseState,
  at: { readonly step: number; readonly untilMs: number | null },
): ReleaseAdvance {
  const effect = at.untilMs === null ? undefined : ({ kind: "wakeAt", atMs: at.untilMs } as const);
  return go({ ...state, phase: { kind: "holding", ...at } }, effect);
}

/** Begins the way back; whatever was to happen after a move no longer is. */
export function takeBack(state: ReleaseState, way: Omit<WayBack, "failures">, atMs: number): ReleaseAdvance {
  const { phase } = state;
  const place = placeOf(phase, atMs);
  const back = state.back ?? { place, ...(isBeforeStep(phase) ? { isBeforeStep: true } : {}) };
  return tryWayBack({ ...state, back }, { ...way, failures: [] }, atMs);
}

export function tryWayBack(state: ReleaseState, way: WayBack, notBeforeMs: number): ReleaseAdvance {
  const { step, actor } = way;
  return go(
    { ...state, phase: { kind: "rollingBack", ...way }, pausesAfterMove: false, skipsGates: false },
    { kind: "moveBack", step, actor, notBeforeMs },
  );
}

export function go(state: ReleaseState, effect?: ReleaseEffect): Advanced {
  return { kind: "step", state, effect };
}

export function notNow(because: string): NotNow {
  return { kind: "notNow", because };
}

export function movingNow(): NotNow {
  return notNow("weights are being moved; ask again in a moment");
}
