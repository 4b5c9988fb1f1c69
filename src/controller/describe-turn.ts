import type { ReleaseStatus } from "../api/types.ts";
import { findNotices } from "../core/release/describe/find-notices.ts";
import { tellEvent } from "../core/release/describe/tell-events.ts";
import { replayRelease } from "../core/release/state/replay-release.ts";
import type { ClusterNote } from "./cluster-events.ts";

const warnings: ReadonlySet<string> = new Set(["failed", "rollingBack", "rolledBack", "aborted"]);

/** What the last event of a release is told as in the cluster; most events are one line, or none. */
export function describeTurn({ id, plan, events, actor, reason }: ReleaseStatus): readonly ClusterNote[] {
  const last = replayRelease(plan, events).at(-1);
  if (last === undefined) return [];
  const { event, before, after } = last;
  const notes: ClusterNote[] = [];
  if (event.kind === "judged") {
    const message = tellEvent(event, { plan, phase: before.phase });
    notes.push({ type: event.verdict === "pass" ? "Normal" : "Warning", reason: "Judged", message });
  }
  const notices = findNotices({ id, plan, actor, reason, before, after, event, count: events.length });
  for (const { event: told, message } of notices) {
    const type = warnings.has(told) ? "Warning" : "Normal";
    notes.push({ type, reason: told.charAt(0).toUpperCase() + told.slice(1), message });
  }
  return notes;
}
