import type { LatencyLimit } from "../../manifest/release.ts";
import type { Judgement } from "./judge-version.ts";
import { bucketOfRank, countAbove, countOf, type LatencyDistribution, percentileOf } from "./latency-distribution.ts";
import { isBeyondLuck, ranksAround, wrongInOneOf } from "./luck.ts";

interface Latencies {
  readonly fresh: LatencyDistribution;
  readonly live: LatencyDistribution;
}

/** Undefined while it is too early to say. */
export function judgeLatency(limit: LatencyLimit, seen: Latencies, isOver: boolean): Judgement | undefined {
  return (
    judgeMaximum(limit, seen.fresh, isOver) ??
    judgeTimesLive(limit, seen, isOver) ??
    (isOver ? { verdict: "pass", detail: describe(limit, seen.fresh) } : undefined)
  );
}

/**
 * A percentile above the limit is the same as more answers above the limit than the percentile leaves, which is a test
 * of a share. At the end the percentile itself decides, where enough answers were timed for there to be one.
 */
function judgeMaximum(limit: LatencyLimit, fresh: LatencyDistribution, isOver: boolean): Judgement | undefined {
  const { percentile, maxMs } = limit;
  if (maxMs === undefined) return undefined;
  const of = countOf(fresh);
  const slow = { seen: countAbove(fresh, maxMs), of };
  const found = percentileOf(fresh, percentile);
  const isTooSlow = found !== undefined && found > maxMs;
  const detail = `${describe(limit, fresh)}, and at most ${maxMs} ms are asked for`;
  if (isTooSlow && isBeyondLuck(slow, 1 - percentile / 100)) return { verdict: "fail", detail };
  if (!isOver) return undefined;
  return tooFew(limit, of, "new version") ?? (isTooSlow ? { verdict: "fail", detail } : undefined);
}

/** How often each side of a comparison at the end may be wrong: together once in a hundred checks. */
const wrongSideInOneOf = 200;

/**
 * The slowest that the version before can be, against the quickest that the new one can be. At the end, what looks too
 * slow and may be luck is left to a person.
 */
function judgeTimesLive(limit: LatencyLimit, seen: Latencies, isOver: boolean): Judgement | undefined {
  const { percentile, maxTimesLive } = limit;
  if (maxTimesLive === undefined) return undefined;
  const detail = `${describe(limit, seen.fresh)}, and at most ${maxTimesLive} times the ${inMs(percentileOf(seen.live, percentile))} of the one before are asked for`;
  const isSlower = (looks: "one" | "all", oneOf: number): boolean => {
    const { low } = ranksAround(percentile, { of: countOf(seen.fresh), oneOf, looks });
    const { high } = ranksAround(percentile, { of: countOf(seen.live), oneOf, looks });
    if (low === undefined || high === undefined) return false;
    const quickest = bucketOfRank(seen.fresh, low);
    const slowest = bucketOfRank(seen.live, high);
    if (quickest === undefined || slowest === undefined) return false;
    return quickest.fromMs > maxTimesLive * (slowest.fromMs + slowest.widthMs);
  };
  if (isSlower("all", 2 * wrongInOneOf)) return { verdict: "fail", detail };
  if (!isOver) return undefined;
  const fewer = tooFew(limit, countOf(seen.fresh), "new version") ?? tooFew(limit, countOf(seen.live), "one before");
  if (fewer !== undefined) return fewer;
  const [found = 0, before = 0] = [percentileOf(seen.fresh, percentile), percentileOf(seen.live, percentile)];
  if (found <= maxTimesLive * before) return undefined;
  if (isSlower("one", wrongSideInOneOf)) return { verdict: "fail", detail };
  return { verdict: "unknown", detail: `${detail}, but that may be chance among so few` };
}

/** The slowest hundredth of fewer than a hundred answers is not one answer. */
function tooFew({ percentile }: LatencyLimit, of: number, which: string): Judgement | undefined {
  const needed = Math.ceil(100 / (100 - percentile) - 1e-9);
  if (of >= needed) return undefined;
  return {
    verdict: "unknown",
    detail: `only ${of} answers of the ${which} were timed, and p${percentile} needs ${needed}`,
  };
}

function describe({ percentile }: LatencyLimit, fresh: LatencyDistribution): string {
  return `p${percentile} of ${countOf(fresh)} answers of the new version was ${inMs(percentileOf(fresh, percentile))}`;
}

/** With three digits, which is more than the buckets tell. */
function inMs(ms: number | undefined): string {
  return ms === undefined ? "unknown" : `${Number(ms.toPrecision(3))} ms`;
}
