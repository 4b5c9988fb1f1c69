import type { ReleaseStatus, ReleaseSummary } from "./types.ts";

/** A plan holds every weight of every step, and two hundred of them are more than a list may weigh. */
export function summarizeRelease(status: ReleaseStatus): ReleaseSummary {
  const summary = { ...status, plan: undefined, events: undefined };
  return summary;
}
