import { additionsAfter } from "../live/additions-in-place.ts";
import { describeRelease } from "../describe/describe-release.ts";
import type { MirrorReport } from "../mirror/mirror-report.ts";
import type { MovePlan } from "../move/move.ts";
import type { PlannedStep } from "../plan/plan-release.ts";
import { isOver } from "../state/release-phase.ts";
import type { ReleaseEvent, ReleasePhase } from "../state/release-state.ts";
import { renderShares } from "../state/render-shares.ts";
import { summarizeShares } from "../move/summarize-shares.ts";
import { tellEvents } from "../describe/tell-events.ts";
import { newVersions } from "../plan/version-destinations.ts";
import { countAll, countVersions, listPoints } from "./count-traffic.ts";
import { describeDecisions, describeStage, type FindMove, instant } from "./describe-stage.ts";
import {
  type DetourReport,
  REPORT_VERSION,
  type ReleaseReport,
  type ShareChange,
  type StepReport,
  type StoryLine,
} from "./release-report.ts";
import { describeUndo } from "../subset/subset-edit.ts";
import { findReturn } from "./find-return.ts";
import { type Interval, type Now, type ReportedRelease, walkRelease } from "./walk-release.ts";

export interface ReportInput {
  readonly release: ReportedRelease;
  /** Of the moves of its steps, what the journal knows. */
  readonly findMove: FindMove;
  readonly now: Now;
  /** Of a mirror that still copies. */
  readonly mirror?: MirrorReport | undefined;
}

/** All that is known of a release, from what the journal has and nothing else. */
export function buildReport({ release, findMove, now, mirror }: ReportInput): ReleaseReport {
  const { id, plan, startedAt, actor, reason, events, state } = release;
  const intervals = walkRelease(release, now);
  const { steps, detours } = divide(intervals, plan.steps.length);
  const { steps: described, phase, services, message } = describeRelease(plan, state);
  const own = new Set([...steps.flat(), ...detours.flatMap((each) => each.intervals)]);
  const counting = intervals.filter((each) => own.has(each));
  const counted = countAll(counting);
  const points = listPoints(counting);
  const names = newVersions(plan);
  const reported = detours.map((each) => describeDetour(each, findMove));
  const endMs = isOver(state.phase) ? (intervals.at(-1)?.fromMs ?? now.atMs) : undefined;
  return {
    version: REPORT_VERSION,
    madeAt: instant(now.atMs),
    release: plan.release,
    id,
    services,
    from: firstMove(plan.steps)?.from ?? null,
    to: plan.to,
    phase,
    message,
    startedAt,
    endedAt: endMs === undefined ? null : instant(endMs),
    tookMs: Math.max(0, (endMs ?? now.atMs) - Date.parse(startedAt)),
    actor,
    reason,
    steps: plan.steps.map((step, index): StepReport => {
      const spent = steps[index] ?? [];
      const { number = index + 1, summary = "", state: where = "next" } = described[index] ?? {};
      return {
        number,
        kind: step.kind,
        state: spent.length === 0 && where === "done" ? "passed over" : where,
        summary,
        inverse: describeInverse(step),
        changes: describeChanges(step),
        ...describeStage(spent, findMove),
        approvals: describeDecisions(spent),
      };
    }),
    detours: reported,
    counted,
    newVersion: {
      names: [...names].filter((name) => name in counted.byVersion || name === plan.to),
      ...countVersions(counted, names),
    },
    takenBack: findReturn(reported, { points, names, isPreviewed: isPreviewed(plan, detours) }),
    mirrors: [...events.flatMap(mirrorOf), ...(mirror === undefined ? [] : [mirror])],
    points,
    story: tellStory(release),
  };
}

interface Detour {
  readonly kind: DetourReport["kind"];
  readonly actor: string;
  readonly reason: string | null;
  readonly intervals: Interval[];
}

interface Divided {
  /** The intervals of each step. */
  readonly steps: readonly Interval[][];
  readonly detours: readonly Detour[];
}

/** Gives each interval to the step or the detour that it was spent on; what came after an end belongs to none. */
function divide(intervals: readonly Interval[], stepCount: number): Divided {
  const steps = Array.from({ length: stepCount }, (): Interval[] => []);
  const detours: Detour[] = [];
  let open: Detour | undefined;
  for (const [index, interval] of intervals.entries()) {
    const { phase } = interval;
    const kind = detourOf(phase);
    if (kind === undefined) {
      open = undefined;
      if (!isOver(phase)) steps[phase.kind === "planned" || !("step" in phase) ? 0 : phase.step]?.push(interval);
      continue;
    }
    if (open?.kind !== kind) {
      open = { kind, ...initiatorOf(phase, intervals[index - 1]?.event), intervals: [] };
      detours.push(open);
    }
    open.intervals.push(interval);
  }
  return { steps, detours };
}

function isPreviewed(plan: ReportedRelease["plan"], detours: readonly Detour[]): boolean {
  const phase = detours.findLast(({ kind }) => kind === "back")?.intervals[0]?.phase;
  const done = phase !== undefined && "step" in phase ? phase.step : 0;
  return additionsAfter(plan, done).some(({ kind }) => kind === "preview");
}

function detourOf(phase: ReleasePhase): DetourReport["kind"] | undefined {
  if (phase.kind === "redoing") return "again";
  if (phase.kind === "rollingBack") return "back";
  return phase.kind === "failed" && phase.during === "wayBack" ? "back" : undefined;
}

/** A person who asks has a reason of their own; else it is what the judge found. */
function initiatorOf(
  phase: ReleasePhase,
  cause: ReleaseEvent | undefined,
): { readonly actor: string; readonly reason: string | null } {
  if (cause !== undefined && "actor" in cause) return { actor: cause.actor, reason: cause.reason };
  return { actor: "kirikae", reason: ("reason" in phase ? phase.reason : undefined) ?? null };
}

function describeDetour({ kind, actor, reason, intervals }: Detour, findMove: FindMove): DetourReport {
  return { kind, actor, reason, ...describeStage(intervals, findMove) };
}

function firstMove(steps: readonly PlannedStep[]): MovePlan | undefined {
  return steps.flatMap((step) => ("moves" in step ? step.moves : []))[0];
}

function describeChanges(step: PlannedStep): readonly ShareChange[] {
  if (!("moves" in step)) return [];
  return step.moves.map(({ virtualService, changes, versions }) => ({
    virtualService,
    before: summarizeShares(changes, { versions, which: "before" }),
    after: summarizeShares(changes, { versions, which: "after" }),
  }));
}

function describeInverse(step: PlannedStep): string {
  switch (step.kind) {
    case "weight":
    case "switch":
      return describeChanges(step)
        .map(({ virtualService, before }) => `${virtualService}: ${renderShares(before)}`)
        .join("; ");
    case "preview":
    case "mirror":
    case "affinity":
      return "taken away from the routes again";
    case "subsets":
      return describeUndo(step.edits);
    case "finish":
    case "hold":
    case "approve":
    case "check":
    case "bake":
      return "nothing to undo";
  }
}

function mirrorOf(event: ReleaseEvent): readonly MirrorReport[] {
  return event.kind === "moved" && event.mirror !== undefined ? [event.mirror] : [];
}

function tellStory({ plan, startedAt, actor, reason, events }: ReportedRelease): readonly StoryLine[] {
  const begin = { at: startedAt, actor, what: `started by ${actor}${reason === null ? "" : `: ${reason}`}` };
  const later = tellEvents(plan, events)
    .filter(({ event }) => event.kind !== "start")
    .map(({ event, what }) => ({
      at: instant(event.atMs),
      actor: "actor" in event ? event.actor : null,
      what,
    }));
  return [begin, ...later];
}
