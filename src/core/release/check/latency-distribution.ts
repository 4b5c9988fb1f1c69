/**
 * How long answers took, in the buckets of Envoy's histograms: two significant digits, so that a bucket is at most a tenth
 * of its value wide (Envoy doc: operations/admin, `histogram_buckets=detailed`).
 */
export interface LatencyBucket {
  readonly fromMs: number;
  readonly widthMs: number;
  readonly count: number;
}

/** Rising, without empty buckets. */
export type LatencyDistribution = readonly LatencyBucket[];

export function countOf(distribution: LatencyDistribution): number {
  return distribution.reduce((sum, { count }) => sum + count, 0);
}

/** What has come to a distribution since an earlier look at it; a proxy that was started again begins at nothing. */
export function subtractLatency(after: LatencyDistribution, before: LatencyDistribution): LatencyDistribution {
  const known = new Map(before.map(({ fromMs, count }) => [fromMs, count]));
  const grown = after.map((bucket) => ({ ...bucket, count: bucket.count - (known.get(bucket.fromMs) ?? 0) }));
  const hasRestarted = countOf(after) < countOf(before) || grown.some(({ count }) => count < 0);
  return hasRestarted ? after : grown.filter(({ count }) => count > 0);
}

export function addLatency(all: readonly LatencyDistribution[]): LatencyDistribution {
  const sums = new Map<number, LatencyBucket>();
  for (const bucket of all.flat()) {
    const known = sums.get(bucket.fromMs);
    sums.set(bucket.fromMs, known === undefined ? bucket : { ...known, count: known.count + bucket.count });
  }
  return [...sums.values()].toSorted((one, other) => one.fromMs - other.fromMs);
}

/** The percentile, as if the answers of a bucket were spread evenly over it; undefined for an empty distribution. */
export function percentileOf(distribution: LatencyDistribution, percentile: number): number | undefined {
  const wanted = (percentile / 100) * countOf(distribution);
  const found = bucketAt(distribution, wanted);
  if (found === undefined) return undefined;
  const { bucket, before } = found;
  return bucket.fromMs + bucket.widthMs * Math.min(1, Math.max(0, (wanted - before) / bucket.count));
}

/** The bucket that holds the answer of this rank, a share of all. */
export function bucketOfRank(distribution: LatencyDistribution, rank: number): LatencyBucket | undefined {
  return bucketAt(distribution, rank * countOf(distribution))?.bucket;
}

function bucketAt(
  distribution: LatencyDistribution,
  wanted: number,
): { readonly bucket: LatencyBucket; readonly before: number } | undefined {
  let before = 0;
  for (const bucket of distribution) {
    if (before + bucket.count >= wanted) return { bucket, before };
    before += bucket.count;
  }
  const last = distribution.at(-1);
  return last === undefined ? undefined : { bucket: last, before: before - last.count };
}

/** Answers that took longer for certain: those of the bucket that the limit is in may have been quicker. */
export function countAbove(distribution: LatencyDistribution, limitMs: number): number {
  return countOf(distribution.filter(({ fromMs }) => fromMs >= limitMs));
}
