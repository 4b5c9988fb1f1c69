import type { ReleaseStatus } from "../../../api/types.ts";
import { describeRelease } from "../../../core/release/describe/describe-release.ts";
import type { StoredRelease } from "../../../engine/fold-releases.ts";

/** A release as its journal has it: nobody was asked what is live of it, or how its check is going. */
export function describeStored(release: StoredRelease): ReleaseStatus {
  const { id, plan, state, startedAt, actor, reason, events } = release;
  const lastEvent = events.at(-1) ?? null;
  const described = describeRelease(plan, state);
  return { id, ...described, startedAt, actor, reason, lastEvent, check: null, live: null, plan, events };
}
