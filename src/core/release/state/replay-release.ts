import type { ReleasePlan } from "../plan/plan-release.ts";
import { advanceRelease, unstarted } from "./advance-release.ts";
import type { ReleaseEvent, ReleaseState } from "./release-state.ts";

/** One event of a release, and what the release was before and after it. */
export interface ReplayedEvent {
  readonly event: ReleaseEvent;
  readonly before: ReleaseState;
  readonly after: ReleaseState;
}

/**
 * All that happened to a release, in its order. Throws for an event that it cannot have had, which no journal that was
 * read holds.
 */
export function replayRelease(plan: ReleasePlan, events: readonly ReleaseEvent[]): readonly ReplayedEvent[] {
  let before = unstarted;
  return events.map((event) => {
    const advanced = advanceRelease(plan, before, event);
    if (advanced.kind === "notNow")
      throw new Error(`${plan.release} cannot have had ${event.kind}: ${advanced.because}.`);
    const replayed = { event, before, after: advanced.state };
    before = advanced.state;
    return replayed;
  });
}
