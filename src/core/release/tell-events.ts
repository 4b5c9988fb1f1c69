import { advanceRelease, unstarted } from "./advance-release.ts";
import { describeEvent } from "./describe-event.ts";
import type { ReleasePlan } from "./plan-release.ts";
import type { ReleaseEvent, ReleasePhase } from "./release-state.ts";

export interface ToldEvent {
  readonly event: ReleaseEvent;
  /** In a few words, with the step that it was about. */
  readonly what: string;
}

/** All that happened to a release, in its order. */
export function tellEvents(plan: ReleasePlan, events: readonly ReleaseEvent[]): readonly ToldEvent[] {
  const told: ToldEvent[] = [];
  let state = unstarted;
  for (const event of events) {
    told.push({ event, what: tellEvent(event, { plan, phase: state.phase }) });
    const advanced = advanceRelease(plan, state, event);
    // The journal holds no others.
    if (advanced.kind === "step") ({ state } = advanced);
  }
  return told;
}

interface Moment {
  readonly plan: Pick<ReleasePlan, "steps">;
  /** What the release was doing when it happened. */
  readonly phase: ReleasePhase;
}

/** As `describeEvent`, and of what happens by itself: to which step, or to what else it was waiting for. */
export function tellEvent(event: ReleaseEvent, { plan, phase }: Moment): string {
  const place = "step" in phase ? `step ${phase.step + 1} (${plan.steps[phase.step]?.kind ?? "the way back"})` : "";
  switch (phase.kind) {
    case "moving":
      return "actor" in event ? describeEvent(event) : `${place}: ${describeEvent(event)}`;
    case "checking":
      return event.kind === "judged" ? `${place}: ${event.verdict}: ${event.detail}` : describeEvent(event);
    case "holding":
      return event.kind === "timeUp" ? `${place}: its time is over` : describeEvent(event);
    case "frozen":
      return event.kind === "timeUp" ? "the freeze is over" : describeEvent(event);
    case "awaiting":
      return event.kind === "timeUp" ? "a yes counts no longer" : describeEvent(event);
    case "planned":
    case "paused":
    case "failed":
    case "setting":
    case "rollingBack":
    case "rolledBack":
    case "redoing":
    case "aborted":
    case "done":
      return describeEvent(event);
  }
}
