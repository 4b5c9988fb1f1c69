import type { MirrorReport } from "../core/release/mirror/mirror-report.ts";
import { buildReport } from "../core/release/report/build-report.ts";
import type { ReleaseReport } from "../core/release/report/release-report.ts";
import type { TrafficSpan } from "../core/release/report/traffic-span.ts";
import type { StoredRelease } from "./fold-releases.ts";
import type { HistoryEntry } from "./report.ts";

export interface KnownNow {
  readonly atMs: number;
  /** All moves that the journal knows. */
  readonly history: readonly HistoryEntry[];
  /** Since its last event, where its process runs. */
  readonly traffic?: TrafficSpan | undefined;
  /** Of a mirror that still copies. */
  readonly mirror?: MirrorReport | undefined;
}

/** The report of a release, as far as it has come. */
export function reportRelease(release: StoredRelease, { atMs, history, traffic, mirror }: KnownNow): ReleaseReport {
  const moves = new Map(history.map((entry) => [entry.id, entry]));
  return buildReport({ release, findMove: (id) => moves.get(id), now: { atMs, traffic }, mirror });
}
