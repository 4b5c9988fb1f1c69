import type { VersionName } from "../move/move.ts";
import { type CountsByVersion, sumCounts, type TrafficSpan } from "./traffic-span.ts";
import type { Answers, Counted, ReportPoint } from "./release-report.ts";
import type { Interval } from "./walk-release.ts";

/** What was answered in these intervals together, which one step was spent on. */
export function countTraffic(intervals: readonly Interval[]): Counted {
  return { ...sumTraffic(intervals), isComplete: intervals.every((each) => isCounted(each) && !isLate(each)) };
}

/** What was answered in all intervals. An answer that was counted late, with the next step, is not missing here. */
export function countAll(intervals: readonly Interval[]): Counted {
  const isComplete = intervals.every(
    (each, index) => isCounted(each) && (!isLate(each) || isFollowed(each, intervals[index + 1])),
  );
  return { ...sumTraffic(intervals), isComplete };
}

function sumTraffic(intervals: readonly Interval[]): Omit<Counted, "isComplete"> {
  const versions = sumCounts(intervals.flatMap(({ traffic }) => (traffic === undefined ? [] : [traffic.versions])));
  return {
    ...sumAnswers(Object.values(versions).map(answersOf)),
    byVersion: Object.fromEntries(Object.entries(versions).map(([name, counts]) => [name, answersOf(counts)])),
  };
}

/** What some versions have answered, of all. */
export function countVersions({ byVersion }: Counted, names: ReadonlySet<VersionName>): Answers {
  return sumAnswers(Object.entries(byVersion).flatMap(([name, answers]) => (names.has(name) ? [answers] : [])));
}

/** Before its first look at the counters, which comes within a second, a release has moved nothing. */
function isCounted({ phase, fromMs, untilMs, traffic }: Interval): boolean {
  if (traffic === undefined) return phase.kind === "planned" || untilMs === fromMs;
  return traffic.isComplete;
}

/** Counters that are older than this when a step ends have missed a part of it. */
const patienceMs = 5_000;

function isLate({ untilMs, traffic }: Interval): boolean {
  return traffic !== undefined && untilMs - traffic.untilMs > patienceMs;
}

function isFollowed({ traffic }: Interval, next: Interval | undefined): boolean {
  return traffic !== undefined && next?.traffic?.fromMs === traffic.untilMs;
}

function answersOf({ requests, errors }: CountsByVersion[VersionName]): Answers {
  return { requests, ok: requests - errors, failed: errors };
}

function sumAnswers(all: readonly Answers[]): Answers {
  const sum = { requests: 0, ok: 0, failed: 0 };
  for (const { requests, ok, failed } of all) {
    sum.requests += requests;
    sum.ok += ok;
    sum.failed += failed;
  }
  return sum;
}

/** More would only make a file larger. */
const mostPoints = 720;

/** The points of all spans, one after the other; neighbours are joined where there are too many. */
export function listPoints(intervals: readonly Interval[]): readonly ReportPoint[] {
  let points = intervals.flatMap(({ traffic }) => (traffic === undefined ? [] : pointsOf(traffic)));
  while (points.length > mostPoints) {
    points = points.flatMap((point, index) => {
      const next = points[index + 1];
      if (index % 2 === 1) return [];
      return next === undefined ? [point] : [joinPoints(point, next)];
    });
  }
  return points;
}

function pointsOf({ fromMs, versions, points }: TrafficSpan): readonly ReportPoint[] {
  const names = Object.keys(versions);
  let atMs = fromMs;
  return points.lengthsMs.map((lengthMs, index) => {
    const begin = atMs;
    atMs += lengthMs;
    const byVersion = Object.fromEntries(
      names.map((name) => [
        name,
        { requests: points.requests[name]?.[index] ?? 0, failed: points.errors[name]?.[index] ?? 0 },
      ]),
    );
    return { fromMs: begin, untilMs: atMs, byVersion };
  });
}

function joinPoints(one: ReportPoint, next: ReportPoint): ReportPoint {
  const names = new Set([...Object.keys(one.byVersion), ...Object.keys(next.byVersion)]);
  const byVersion = Object.fromEntries(
    [...names].map((name) => {
      const [left, right] = [one.byVersion[name], next.byVersion[name]];
      const requests = (left?.requests ?? 0) + (right?.requests ?? 0);
      return [name, { requests, failed: (left?.failed ?? 0) + (right?.failed ?? 0) }];
    }),
  );
  return { fromMs: one.fromMs, untilMs: next.untilMs, byVersion };
}
