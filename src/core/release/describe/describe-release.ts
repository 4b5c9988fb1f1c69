import { renderDuration } from "../../diagnostics/render-duration.ts";
import type { Approval, Bake } from "../../manifest/release.ts";
import type { RouteAddition } from "../../routes/route-addition.ts";
import type { MovePlan, VersionName } from "../move/move.ts";
import { type PlannedStep, releasedServices, type ReleasePlan } from "../plan/plan-release.ts";
import { approvalOf, expiryOf } from "../state/gather-approvals.ts";
import { describeCheck } from "../check/describe-check.ts";
import { limitOf } from "../state/keep-limit.ts";
import { renderShortage } from "../move/limit-return.ts";
import { describePhase, isMovingPhase, type MovingPhase } from "../state/release-phase.ts";
import type { GivenApproval, ReleasePhase, ReleaseState } from "../state/release-state.ts";
import { renderShares } from "../state/render-shares.ts";
import { describeEdits } from "../subset/subset-edit.ts";
import { waitsUntil } from "../state/waits-until.ts";
import { summarizeShares } from "../move/summarize-shares.ts";

/** A release for people: where it is, and whom it waits for. */
export interface ReleaseDescription {
  /** `namespace/name`. */
  readonly release: string;
  readonly to: VersionName;
  /** `namespace/name` of every VirtualService that it moves. */
  readonly services: readonly string[];
  readonly phase: ReleasePhase["kind"];
  /** The step that the phase is about, from 1; null before the first and where there is none. */
  readonly step: number | null;
  /** One sentence without a full stop: what it does, or what it waits for. */
  readonly message: string;
  /** When what it waits for changes by itself, in milliseconds since the epoch: a hold or a freeze ends, a yes expires. */
  readonly untilMs: number | null;
  /** Whose yes it waits for; null where it asks nobody, or is paused. */
  readonly approval: ApprovalDescription | null;
  /** When it has taken as long as it may, in milliseconds since the epoch; null where it has no limit, or has ended. */
  readonly limitMs: number | null;
  readonly steps: readonly StepDescription[];
}

interface ApprovalDescription {
  readonly people: number;
  readonly question: string | null;
  /** Who may not give it, because they started the release; null where anybody may. */
  readonly notBy: string | null;
  /** Oldest first. `untilMs` is when a yes no longer counts; null for never. */
  readonly given: readonly (GivenApproval & { readonly untilMs: number | null })[];
}

interface StepDescription {
  /** From 1. */
  readonly number: number;
  readonly kind: PlannedStep["kind"];
  readonly state: "done" | "now" | "next" | "undone";
  /** Percentages that the step gives, or what it waits for. */
  readonly summary: string;
}

export function describeRelease(plan: ReleasePlan, state: ReleaseState): ReleaseDescription {
  const { phase } = state;
  const at = "step" in phase ? phase.step : undefined;
  return {
    release: plan.release,
    to: plan.to,
    services: [...releasedServices(plan)],
    phase: phase.kind,
    step: at === undefined || at >= plan.steps.length ? null : at + 1,
    message: messageOf(plan, state),
    untilMs: waitsUntil(plan, phase),
    approval: phase.kind === "awaiting" ? describeApproval(plan, { phase, startedBy: state.startedBy }) : null,
    limitMs: limitOf(plan, state) ?? null,
    steps: plan.steps.map((step, index) => ({
      number: index + 1,
      kind: step.kind,
      state: stateOf(index, state),
      summary: summarize(step, plan),
    })),
  };
}

function stateOf(index: number, { phase, back }: ReleaseState): StepDescription["state"] {
  if (phase.kind === "done") return "done";
  if (phase.kind === "planned") return "next";
  if (index < phase.step) return phase.kind === "rolledBack" ? "undone" : "done";
  if (index > phase.step) return "next";
  // A move that lost requests is undone as those before it.
  if (phase.kind === "rolledBack") return back?.isBeforeStep === true ? "next" : "undone";
  return phase.kind === "aborted" ? "next" : "now";
}

function summarize(step: PlannedStep, plan: ReleasePlan): string {
  switch (step.kind) {
    case "weight":
      return `${describeMoves(step.moves)}${onSite(step.site)}`;
    case "switch":
      return `everything to ${plan.to}${onSite(step.site)}`;
    case "hold":
      return step.durationMs === undefined ? "until it is promoted" : `for ${renderDuration(step.durationMs)}`;
    case "check":
      return describeCheck(step);
    case "bake":
      return describeBake(step);
    case "preview":
    case "mirror":
    case "affinity":
      return describeAddition(step.addition);
    case "subsets":
      return describeEdits(step.edits);
    case "finish":
      return "takes away what was added to the routes";
    case "approve":
      return describeWanted(step);
  }
}

function onSite(site: string | undefined): string {
  return site === undefined ? "" : ` on ${site}`;
}

/** `green 10 %, blue 90 %` of everybody's traffic, where the step moves that; of services that differ, each by its name. */
function describeMoves(moves: readonly MovePlan[]): string {
  const told = moves.map(({ virtualService, changes, versions }) => {
    const shares = renderShares(summarizeShares(changes, { versions, which: "after" }));
    return { virtualService, shares };
  });
  const [one = "", ...others] = new Set(told.map(({ shares }) => shares));
  return others.length === 0 ? one : told.map(({ virtualService, shares }) => `${virtualService} ${shares}`).join("; ");
}

/** `for 10 min, at least 99 % good`. */
export function describeBake({ durationMs, check }: Bake): string {
  const judged = check === undefined ? "" : `: ${describeCheck({ ...check, durationMs })}`;
  return `keeps the version before for ${renderDuration(durationMs)}${judged}`;
}

/** What an addition does to which requests. */
export function describeAddition(addition: RouteAddition): string {
  switch (addition.kind) {
    case "preview":
      return `${addition.name}: requests with a mark see the new version`;
    case "mirror":
      return addition.percent === 0
        ? "copies no more requests"
        : `copies ${addition.percent} % of ${addition.methods.join(", ")} requests to the new version`;
    case "affinity":
      return `keeps each visitor on one version by the cookie ${addition.cookie}`;
  }
}

function messageOf(plan: ReleasePlan, { phase, startedBy }: ReleaseState): string {
  if (isMovingPhase(phase)) return describeMoving(plan, phase);
  switch (phase.kind) {
    case "failed":
      return describeFailure(phase);
    case "awaiting":
      return renderApproval(describeApproval(plan, { phase, startedBy }));
    case "frozen":
      return describeFreeze(phase);
    case "holding":
      return describeHold(phase);
    case "aborted":
      return `${phase.reason} ${describePlace(plan, phase.step)}; traffic stays where it is`;
    case "paused":
      return `${phase.reason ?? "paused"}; resume, promote, roll back or abort`;
    case "rolledBack":
      return describeEnd(phase);
    case "planned":
    case "checking":
    case "done":
      return describePhase(phase);
  }
}

function describeMoving(plan: ReleasePlan, phase: MovingPhase): string {
  if (phase.kind === "rollingBack") return describeWayBack(plan, phase);
  const isOfSubsets = phase.kind === "moving" && plan.steps[phase.step]?.kind === "subsets";
  return isOfSubsets ? "changing subsets" : describePhase(phase);
}

function describeHold({ untilMs }: Extract<ReleasePhase, { kind: "holding" }>): string {
  return untilMs === null ? "waits to be promoted" : "holds until its time is over, or until it is promoted";
}

function describeFreeze({ reason }: Extract<ReleasePhase, { kind: "frozen" }>): string {
  return `waits for the end of a freeze${reason === null ? "" : `: ${reason}`}`;
}

function describeEnd(phase: Extract<ReleasePhase, { kind: "rolledBack" }>): string {
  const { failure } = phase;
  const back = describeBack(phase);
  return failure === undefined ? back : `${back}; it was not brought back to where it was: ${failure}`;
}

function describeFailure({ step, during, reason }: Extract<ReleasePhase, { kind: "failed" }>): string {
  const why = reason.replace(/\.$/u, "");
  if (during === "wayBack") return `the way back failed: ${why}; retry or abort`;
  return `step ${step + 1} failed: ${why}; retry, roll back or abort`;
}

/** What is missing comes with what it means: requests that meet the new version until then. */
function describeWayBack({ to }: ReleasePlan, phase: Extract<ReleasePhase, { kind: "rollingBack" }>): string {
  const { waits, failures } = phase;
  const failure = failures.at(-1);
  if (failure !== undefined) return `${describeBack(phase)}; tries again, because ${failure}`;
  if (waits !== undefined) {
    const missing = waits.map(renderShortage).join("; ");
    return `${describeBack(phase)}: ${missing}; the rest STAYS on ${to} until more are, unless it is rolled back with --now`;
  }
  return describeBack(phase);
}

function describeBack(phase: Extract<ReleasePhase, { kind: "rollingBack" | "rolledBack" }>): string {
  return phase.reason === undefined ? describePhase(phase) : `${describePhase(phase)}, because ${phase.reason}`;
}

/** The way back after the last step is at no step. */
function describePlace({ steps }: ReleasePlan, step: number): string {
  return step < steps.length ? `at step ${step + 1}` : "on its way back";
}

type Awaiting = Extract<ReleasePhase, { kind: "awaiting" }>;

function describeApproval(
  plan: ReleasePlan,
  { phase, startedBy }: { readonly phase: Awaiting; readonly startedBy: string | undefined },
): ApprovalDescription {
  const asked = approvalOf(plan, phase.step);
  return {
    people: asked.people,
    question: asked.question ?? null,
    notBy: asked.letsStarterApprove ? null : (startedBy ?? null),
    given: phase.approvals.map((one) => ({ ...one, untilMs: expiryOf(one, asked) ?? null })),
  };
}

function renderApproval({ people, question, notBy, given }: ApprovalDescription): string {
  const who = given.length === 0 ? "" : `, approved by ${given.map(({ actor }) => actor).join(", ")}`;
  const others = notBy === null ? "" : `, not of ${notBy}, who started it`;
  const asked = question === null ? "" : `: ${question}`;
  return `waits for ${people - given.length} of ${people} approvals${who}${others}${asked}`;
}

/** `the yes of 2 people, none of them who started it, each for 4 h`. */
export function describeWanted({ people, letsStarterApprove, expiresMs }: Approval): string {
  const who = people === 1 ? "the yes of one person" : `the yes of ${people} people`;
  const others = letsStarterApprove ? "" : people === 1 ? ", but not who started it" : ", none of them who started it";
  return `${who}${others}${expiresMs === undefined ? "" : `, which counts for ${renderDuration(expiresMs)}`}`;
}
