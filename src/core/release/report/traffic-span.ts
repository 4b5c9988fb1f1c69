import type { VersionName } from "../move/move.ts";

/** Answers of one version; `errors` are those of 500 and more. */
export interface AnswerCounts {
  readonly requests: number;
  readonly errors: number;
}

export type CountsByVersion = Readonly<Record<VersionName, AnswerCounts>>;

/**
 * What the versions of a release have answered between two events, as the proxies count it. Spans follow upon each other
 * without a gap, so that each answer is in one of them.
 */
export interface TrafficSpan {
  /** Looks at the counters, in milliseconds since the epoch: at most about a second before the event, and the one before. */
  readonly fromMs: number;
  readonly untilMs: number;
  readonly versions: CountsByVersion;
  /** False where answers are missing: a proxy began to count anew, or the first look came late. */
  readonly isComplete: boolean;
  readonly points: TrafficPoints;
  /** What the counters showed in the end, so that the next span goes on there in whatever process. */
  readonly mark: CounterMark;
}

/** The same over time, in columns, because a journal holds many: neighbours are joined when there are too many. */
interface TrafficPoints {
  /** No point is shorter, but for the last and those around a look that failed. */
  readonly resolutionMs: number;
  /** How long each is, in milliseconds; the first begins where the span does. */
  readonly lengthsMs: readonly number[];
  /** One number a point. */
  readonly requests: Readonly<Record<VersionName, readonly number[]>>;
  /** The same; a version without errors has none. */
  readonly errors: Readonly<Record<VersionName, readonly number[]>>;
}

/** Counters since the proxies started. */
export interface CounterMark {
  /** Which processes have counted; others begin at 0. */
  readonly proxies: string;
  readonly versions: CountsByVersion;
}

/** Looks come about once a second. */
const finestMs = 1_000;
const mostPoints = 120;

/** A span that begins with this look at the counters. */
export function beginSpan(atMs: number, mark: CounterMark): TrafficSpan {
  const versions = Object.fromEntries(Object.keys(mark.versions).map((name) => [name, { requests: 0, errors: 0 }]));
  const points = { resolutionMs: finestMs, lengthsMs: [], requests: {}, errors: {} };
  return { fromMs: atMs, untilMs: atMs, versions, isComplete: true, points, mark };
}

/**
 * The span with another look at the counters. Counters that a proxy has begun anew say what came since, and nothing of
 * what came before that.
 */
export function extendSpan(span: TrafficSpan, atMs: number, mark: CounterMark): TrafficSpan {
  if (atMs <= span.untilMs) return span;
  const hasRestarted = mark.proxies !== span.mark.proxies || hasFallen(span.mark.versions, mark.versions);
  const from = hasRestarted ? {} : span.mark.versions;
  const growth = limitErrors(countsBetween(from, mark.versions));
  return {
    fromMs: span.fromMs,
    untilMs: atMs,
    versions: addCounts(span.versions, growth),
    isComplete: span.isComplete && !hasRestarted,
    points: addPoint(span.points, { lengthMs: atMs - span.untilMs, growth }),
    mark: { proxies: mark.proxies, versions: addCounts(from, growth) },
  };
}

/** Two counters are not read in the same instant: an error whose answer is not counted yet comes with the next look. */
function limitErrors(growth: CountsByVersion): CountsByVersion {
  const limited = Object.entries(growth).map(([name, { requests, errors }]) => {
    return [name, { requests, errors: Math.min(errors, requests) }] as const;
  });
  return Object.fromEntries(limited);
}

/** What all of them together have counted. */
export function sumCounts(all: readonly CountsByVersion[]): CountsByVersion {
  return all.reduce(addCounts, {});
}

const nothing: AnswerCounts = { requests: 0, errors: 0 };

function addCounts(sum: CountsByVersion, more: CountsByVersion): CountsByVersion {
  const added = Object.entries(more).map(([name, { requests, errors }]) => {
    const known = sum[name] ?? nothing;
    return [name, { requests: known.requests + requests, errors: known.errors + errors }] as const;
  });
  return { ...sum, ...Object.fromEntries(added) };
}

function hasFallen(before: CountsByVersion, now: CountsByVersion): boolean {
  return Object.entries(before).some(([name, { requests, errors }]) => {
    const after = now[name] ?? nothing;
    return after.requests < requests || after.errors < errors;
  });
}

function countsBetween(before: CountsByVersion, now: CountsByVersion): CountsByVersion {
  const grown = Object.entries(now).map(([name, { requests, errors }]) => {
    const known = before[name] ?? nothing;
    return [name, { requests: requests - known.requests, errors: errors - known.errors }] as const;
  });
  return Object.fromEntries(grown);
}

interface Point {
  readonly lengthMs: number;
  readonly growth: CountsByVersion;
}

function addPoint(points: TrafficPoints, point: Point): TrafficPoints {
  const isFull = points.lengthsMs.length >= mostPoints;
  const { resolutionMs, lengthsMs, requests, errors } = isFull ? halve(points) : points;
  // A look comes a little early or late, and must not make a point twice as long for that.
  const joins = (lengthsMs.at(-1) ?? resolutionMs) < resolutionMs * 0.8;
  const count = lengthsMs.length;
  const of = (which: keyof AnswerCounts) => mapCounts(point.growth, which);
  return {
    resolutionMs,
    lengthsMs: append(lengthsMs, { value: point.lengthMs, joins }),
    requests: appendColumns(requests, of("requests"), { count, joins }),
    errors: appendColumns(errors, of("errors"), { count, joins }),
  };
}

type Columns = Readonly<Record<VersionName, readonly number[]>>;

function mapCounts(counts: CountsByVersion, which: keyof AnswerCounts): ReadonlyMap<VersionName, number> {
  return new Map(Object.entries(counts).map(([name, each]) => [name, each[which]]));
}

/** A version without a column gets one when it has something to put there. */
function appendColumns(
  columns: Columns,
  values: ReadonlyMap<VersionName, number>,
  { count, joins }: { readonly count: number; readonly joins: boolean },
): Columns {
  const names = new Set([
    ...Object.keys(columns),
    ...[...values].filter(([, value]) => value > 0).map(([name]) => name),
  ]);
  return Object.fromEntries(
    [...names].map((name) => {
      const column = columns[name] ?? Array.from({ length: count }, () => 0);
      return [name, append(column, { value: values.get(name) ?? 0, joins })];
    }),
  );
}

function append(
  column: readonly number[],
  { value, joins }: { readonly value: number; readonly joins: boolean },
): readonly number[] {
  return joins ? column.with(column.length - 1, (column.at(-1) ?? 0) + value) : [...column, value];
}

function halve({ resolutionMs, lengthsMs, requests, errors }: TrafficPoints): TrafficPoints {
  return {
    resolutionMs: resolutionMs * 2,
    lengthsMs: joinPairs(lengthsMs),
    requests: joinColumns(requests),
    errors: joinColumns(errors),
  };
}

function joinColumns(columns: Columns): Columns {
  return Object.fromEntries(Object.entries(columns).map(([name, column]) => [name, joinPairs(column)]));
}

function joinPairs(column: readonly number[]): readonly number[] {
  return column.flatMap((value, index) => (index % 2 === 0 ? [value + (column[index + 1] ?? 0)] : []));
}
