import type { Check } from "../manifest/release.ts";
import type { Verdict } from "./release-state.ts";

/** Requests of one version since the check began; `errors` are answers of 500 and more. */
export interface VersionCounts {
  readonly requests: number;
  readonly errors: number;
}

export interface Judgement {
  readonly verdict: Verdict;
  /** In words that follow "because". */
  readonly detail: string;
}

/**
 * How many standard errors the new version has to be worse by. The counts are looked at many times, and each look is
 * another chance to be wrong about a version that is no worse; at 4 a look is wrong once in 30,000 times (one-sided).
 */
const worseByStandardErrors = 4;

/**
 * Judges the new version by what it has answered so far; undefined while it is too early to say. It fails as soon as the
 * counts show it, and passes only when the time is over.
 */
export function judgeVersion(
  check: Check,
  { fresh, live }: { readonly fresh: VersionCounts; readonly live: VersionCounts },
  isOver: boolean,
): Judgement | undefined {
  const { minRequests, minSuccessPercent, comparesWithLive } = check;
  if (fresh.requests < minRequests) {
    const detail = `only ${fresh.requests} of ${minRequests} requests came to the new version`;
    return isOver ? { verdict: "unknown", detail } : undefined;
  }
  const rate = `${successPercent(fresh)} % of ${fresh.requests} answers of the new version were good`;
  if (minSuccessPercent !== undefined && isTooBad(fresh, minSuccessPercent, isOver)) {
    return { verdict: "fail", detail: `${rate}, and ${minSuccessPercent} % are asked for` };
  }
  if (comparesWithLive && live.requests >= minRequests && isWorse(fresh, live)) {
    return { verdict: "fail", detail: `${rate}, but ${successPercent(live)} % of ${live.requests} of the one before` };
  }
  return isOver ? { verdict: "pass", detail: rate } : undefined;
}

/** A look at a version that is just good enough finds it wanting by chance less than once in this many. */
const looksPerMistake = 30_000;

/**
 * At the end the share itself decides. Until then every second is another chance to be wrong, so it has to be further off
 * than luck explains: the Chernoff bound on the chance of that many errors, which holds for few requests too.
 */
function isTooBad(fresh: VersionCounts, minSuccessPercent: number, isOver: boolean): boolean {
  if (successPercent(fresh) >= minSuccessPercent) return false;
  if (isOver) return true;
  const divergence = divergenceOf(fresh.errors / fresh.requests, 1 - minSuccessPercent / 100);
  return fresh.requests * divergence > Math.log(looksPerMistake);
}

/** Kullback-Leibler, of two shares of errors, in nats. */
function divergenceOf(seen: number, allowed: number): number {
  if (allowed <= 0) return seen > 0 ? Number.POSITIVE_INFINITY : 0;
  const good = seen >= 1 ? 0 : (1 - seen) * Math.log((1 - seen) / (1 - allowed));
  return seen * Math.log(seen / allowed) + good;
}

/** With two decimals, rounded down, so that what is not good never shows as 100. */
function successPercent({ requests, errors }: VersionCounts): number {
  return requests === 0 ? 100 : Math.floor((10_000 * (requests - errors)) / requests) / 100;
}

/**
 * A one-sided test of two proportions with pooled variance and a continuity correction, because few errors in few
 * requests say little.
 */
function isWorse(fresh: VersionCounts, live: VersionCounts): boolean {
  const pooled = (fresh.errors + live.errors) / (fresh.requests + live.requests);
  const reciprocals = 1 / fresh.requests + 1 / live.requests;
  const standardError = Math.sqrt(pooled * (1 - pooled) * reciprocals);
  const difference = fresh.errors / fresh.requests - live.errors / live.requests - reciprocals / 2;
  return standardError === 0 ? false : difference / standardError > worseByStandardErrors;
}
