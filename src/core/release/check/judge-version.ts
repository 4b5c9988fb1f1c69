import type { Check } from "../../manifest/release.ts";
import type { ComparedAnswers, Verdict, VersionFigures } from "./check-progress.ts";
import { judgeLatency } from "./judge-latency.ts";
import { countOf, type LatencyDistribution, percentileOf } from "./latency-distribution.ts";
import { isBeyondLuck } from "./luck.ts";

/** What one version has answered since the check began; `errors` are answers of 500 and more. */
export interface VersionCounts {
  readonly requests: number;
  readonly errors: number;
  /** Of those answers that came whole; absent is none. */
  readonly latency?: LatencyDistribution;
  /** How often a proxy took an endpoint out of rotation; absent where none ever does. */
  readonly ejections?: number;
  /** How many endpoints are out of rotation now, since whenever; absent is none. */
  readonly outOfRotation?: number;
}

export interface CheckedVersions {
  readonly fresh: VersionCounts;
  readonly live: VersionCounts;
  /** Of copied requests; absent where none are compared. */
  readonly answers?: ComparedAnswers | undefined;
}

export interface Judgement {
  readonly verdict: Verdict;
  /** In words that follow "because". */
  readonly detail: string;
}

/**
 * Judges the new version by what it has answered so far; undefined while it is too early to say. It fails as soon as the
 * counts show it, and passes only when the time is over.
 */
export function judgeVersion(check: Check, seen: CheckedVersions, isOver: boolean): Judgement | undefined {
  const judgements = [
    judgeEjections(check, seen.fresh, isOver),
    judgeDifferences(check, seen.answers, isOver),
    ...judgeAnswers(check, seen, isOver),
  ].flatMap((judgement) => judgement ?? []);
  return judgements.find(({ verdict }) => verdict === "fail") ?? (isOver ? conclude(judgements) : undefined);
}

/** What is not known about one figure is not made good by the others. */
function conclude(judgements: readonly Judgement[]): Judgement {
  const unknown = judgements.find(({ verdict }) => verdict === "unknown");
  const detail = judgements.map((judgement) => judgement.detail).join(", and ");
  return unknown ?? { verdict: "pass", detail: detail === "" ? "nothing was asked of its figures" : detail };
}

function judgeAnswers(
  check: Check,
  { fresh, live }: CheckedVersions,
  isOver: boolean,
): readonly (Judgement | undefined)[] {
  const { minRequests, latency } = check;
  if (fresh.requests < minRequests) {
    if (!judgesAnswers(check)) return [];
    const detail = `only ${fresh.requests} of ${minRequests} requests came to the new version`;
    return isOver ? [{ verdict: "unknown", detail }] : [];
  }
  const times = { fresh: fresh.latency ?? [], live: live.latency ?? [] };
  return [judgeSuccess(check, { fresh, live }, isOver), ...latency.map((limit) => judgeLatency(limit, times, isOver))];
}

/** Other judges, and copies of requests, say something of a version that no visitor meets. */
function judgesAnswers({ judges, maxDifferentPercent, ...asked }: Check): boolean {
  const { minSuccessPercent, comparesWithLive, latency, maxEjections } = asked;
  const isAsked = comparesWithLive || minSuccessPercent !== undefined || maxEjections !== undefined;
  return isAsked || latency.length > 0 || (judges.length === 0 && maxDifferentPercent === undefined);
}

/** At the end the share itself decides; until then it has to be further off than luck explains. */
function judgeSuccess(
  { minRequests, minSuccessPercent, comparesWithLive }: Check,
  { fresh, live }: CheckedVersions,
  isOver: boolean,
): Judgement | undefined {
  const rate = `${successPercent(fresh)} % of ${fresh.requests} answers of the new version were good`;
  if (minSuccessPercent !== undefined && successPercent(fresh) < minSuccessPercent) {
    const errors = { seen: fresh.errors, of: fresh.requests };
    if (isOver || isBeyondLuck(errors, 1 - minSuccessPercent / 100)) {
      return { verdict: "fail", detail: `${rate}, and ${minSuccessPercent} % are asked for` };
    }
  }
  if (comparesWithLive && live.requests >= minRequests && isWorse(fresh, live)) {
    return { verdict: "fail", detail: `${rate}, but ${successPercent(live)} % of ${live.requests} of the one before` };
  }
  return isOver ? { verdict: "pass", detail: rate } : undefined;
}

function judgeEjections(
  { maxEjections }: Check,
  { ejections, outOfRotation = 0 }: VersionCounts,
  isOver: boolean,
): Judgement | undefined {
  if (maxEjections === undefined) return undefined;
  if (ejections === undefined) {
    const detail =
      "no proxy takes endpoints of the new version out of rotation, as its DestinationRule has no outlierDetection";
    return isOver ? { verdict: "unknown", detail } : undefined;
  }
  const times = `endpoints of the new version were taken out of rotation ${ejections} ${ejections === 1 ? "time" : "times"}`;
  if (ejections > maxEjections) return { verdict: "fail", detail: `${times}, and ${maxEjections} are allowed` };
  if (outOfRotation > maxEjections) {
    const are = outOfRotation === 1 ? "endpoint of the new version is" : "endpoints of the new version are";
    return { verdict: "fail", detail: `${outOfRotation} ${are} out of rotation, and ${maxEjections} may be` };
  }
  return isOver ? { verdict: "pass", detail: times } : undefined;
}

function judgeDifferences(
  { maxDifferentPercent, minRequests }: Check,
  answers: ComparedAnswers | undefined,
  isOver: boolean,
): Judgement | undefined {
  if (maxDifferentPercent === undefined) return undefined;
  const { compared, different } = answers ?? { compared: 0, different: 0 };
  if (compared < minRequests) {
    const detail = `only ${compared} of ${minRequests} answers to copied requests were compared`;
    return isOver ? { verdict: "unknown", detail } : undefined;
  }
  const share = `${different} of ${compared} answers to copied requests differed`;
  const isTooMuch = (100 * different) / compared > maxDifferentPercent;
  if (isTooMuch && (isOver || isBeyondLuck({ seen: different, of: compared }, maxDifferentPercent / 100))) {
    return { verdict: "fail", detail: `${share}, and ${maxDifferentPercent} % may` };
  }
  return isOver ? { verdict: "pass", detail: share } : undefined;
}

/** With two decimals, rounded down, so that what is not good never shows as 100. */
function successPercent({ requests, errors }: VersionCounts): number {
  return requests === 0 ? 100 : Math.floor((10_000 * (requests - errors)) / requests) / 100;
}

/**
 * Were both versions alike, each error would be one of the new version as often as each request is. So the errors of both
 * are draws of which too many are the new version's; where errors are rare, no test of two shares by their normal
 * approximation says anything true.
 */
function isWorse(fresh: VersionCounts, live: VersionCounts): boolean {
  const errors = { seen: fresh.errors, of: fresh.errors + live.errors };
  return isBeyondLuck(errors, fresh.requests / (fresh.requests + live.requests));
}

/** The figures of a version for people; percentiles that nobody asked for beside those that a limit names. */
export function summarizeVersion(
  check: Check,
  { requests, errors, latency = [], ejections }: VersionCounts,
): VersionFigures {
  const wanted = new Set([50, 99, ...check.latency.map(({ percentile }) => percentile)]);
  const percentiles = countOf(latency) === 0 ? [] : [...wanted].toSorted((one, other) => one - other);
  return {
    requests,
    errors,
    latency: percentiles.map((percentile) => ({ percentile, ms: percentileOf(latency, percentile) ?? 0 })),
    ejections: ejections ?? null,
  };
}
