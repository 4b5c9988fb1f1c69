import { replayRelease } from "../state/replay-release.ts";
import { describeEvent } from "./describe-event.ts";
import { describeEdits } from "../subset/subset-edit.ts";
import type { PlannedStep, ReleasePlan } from "../plan/plan-release.ts";
import type { ReleaseEvent, ReleasePhase } from "../state/release-state.ts";

export interface ToldEvent {
  readonly event: ReleaseEvent;
  /** In a few words, with the step that it was about. */
  readonly what: string;
}

/** All that happened to a release, in its order. */
export function tellEvents(plan: ReleasePlan, events: readonly ReleaseEvent[]): readonly ToldEvent[] {
  return replayRelease(plan, events).map(({ event, before }) => ({
    event,
    what: tellEvent(event, { plan, phase: before.phase }),
  }));
}

interface Moment {
  readonly plan: Pick<ReleasePlan, "steps">;
  /** What the release was doing when it happened. */
  readonly phase: ReleasePhase;
}

/** As `describeEvent`, and of what happens by itself: to which step, or to what else it was waiting for. */
export function tellEvent(event: ReleaseEvent, { plan, phase }: Moment): string {
  const place = "step" in phase ? `step ${phase.step + 1} (${plan.steps[phase.step]?.kind ?? "the way back"})` : "";
  if (event.kind === "timeUp") return describeTimeUp(phase, place);
  const step = phase.kind === "moving" ? plan.steps[phase.step] : undefined;
  if (step?.kind === "subsets" && event.kind === "moved") return `${place}: ${describeSubsets(step, event)}`;
  const what = describeEvent(event);
  if (phase.kind === "checking" && event.kind === "judged") return `${place}: ${event.verdict}: ${event.detail}`;
  return phase.kind === "moving" && !("actor" in event) ? `${place}: ${what}` : what;
}

function describeSubsets(
  { edits }: Extract<PlannedStep, { readonly kind: "subsets" }>,
  { note }: Extract<ReleaseEvent, { readonly kind: "moved" }>,
): string {
  const told = `${describeEdits(edits)}${edits.length === 0 ? "" : ", proved"}`;
  return note === undefined ? told : `${told} (${note})`;
}

/** Of the phases that end by the time alone. */
function describeTimeUp({ kind }: ReleasePhase, place: string): string {
  if (kind === "frozen") return "the freeze is over";
  return kind === "awaiting" ? "a yes counts no longer" : `${place}: its time is over`;
}
