import { findFreeze } from "../core/release/state/find-freeze.ts";
import type { ReleasePlan } from "../core/release/plan/plan-release.ts";
import type { ReleaseEvent } from "../core/release/state/release-state.ts";

/** Adds what is true when something happens and what the table cannot know: the freeze in force, and whose account asks. */
export function completeEvent(
  event: ReleaseEvent,
  { plan, account }: { readonly plan: ReleasePlan; readonly account: string | undefined },
): ReleaseEvent {
  const freeze = findFreeze(plan.spec.freezes, event.atMs);
  const isAskedFor = "actor" in event || event.kind === "start";
  return {
    ...event,
    ...(freeze === undefined ? {} : { freeze }),
    ...(account === undefined || !isAskedFor ? {} : { account }),
  };
}
