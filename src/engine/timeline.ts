import { isCalled } from "../core/release/move/is-called.ts";
import { releasedServices } from "../core/release/plan/plan-release.ts";
import { tellEvent } from "../core/release/describe/tell-events.ts";
import type { ReleaseEvent } from "../core/release/state/release-state.ts";
import type { FoldedReleases, StoredRelease } from "./fold-releases.ts";
import type { ReleaseEventRecord, ReleaseRecord } from "./journal-record.ts";
import type { HistoryEntry, ReleaseEntry, TimelineEntry } from "./report.ts";

/** The begin of a release as a line of the history. */
export function describeBegin({ id, at, plan, actor, reason }: ReleaseRecord): ReleaseEntry {
  const services = [...releasedServices(plan)];
  return { id, release: plan.release, services, event: "begin", at, actor, reason, what: `begun, to ${plan.to}` };
}

/**
 * What happened to a release as a line of the history; undefined where a move of the same history says it. The release
 * is as it was before.
 */
export function describeHappening(
  { plan, id, state: { phase } }: StoredRelease,
  { at, event }: ReleaseEventRecord,
): ReleaseEntry | undefined {
  if (isToldByMove(event)) return undefined;
  const services = [...releasedServices(plan)];
  const who = "actor" in event ? { actor: event.actor, reason: event.reason } : { actor: null, reason: null };
  return {
    id,
    release: plan.release,
    services,
    event: event.kind,
    at,
    ...who,
    what: tellEvent(event, { plan, phase }),
  };
}

/** The beginning is a line of its own already. */
function isToldByMove(event: ReleaseEvent): boolean {
  if (event.kind === "moved") return event.move !== undefined;
  return event.kind === "start" || (event.kind === "turned" && event.subsets === undefined);
}

/** The part of a history that is about one VirtualService; all of it without a name. */
export function selectHistory(history: readonly HistoryEntry[], name: string | undefined): readonly HistoryEntry[] {
  if (name === undefined) return [...history];
  return history.filter((entry) => servicesOf(entry).some((own) => isCalled(own, name)));
}

/** The part of a timeline that is about one VirtualService, or about one release and the moves of its steps. */
export function selectTimeline(
  timeline: readonly TimelineEntry[],
  { releases, name }: { readonly releases: FoldedReleases; readonly name: string | undefined },
): readonly TimelineEntry[] {
  if (name === undefined) return [...timeline];
  const isNamed = (own: string): boolean => isCalled(own, name);
  const own = new Set(releases.all.filter(({ plan }) => isNamed(plan.release)).flatMap(movesOf));
  return timeline.filter((entry) =>
    "release" in entry
      ? [entry.release, ...entry.services].some(isNamed)
      : own.has(entry.id) || servicesOf(entry).some(isNamed),
  );
}

function movesOf({ events }: StoredRelease): readonly string[] {
  return events.flatMap((event) => ("move" in event && event.move !== undefined ? [event.move] : []));
}

function servicesOf({ virtualService, together = [] }: HistoryEntry): readonly string[] {
  return [virtualService, ...together];
}
