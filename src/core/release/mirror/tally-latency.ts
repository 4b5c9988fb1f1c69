/** How long answers took, in milliseconds; null where there was none. */
export interface LatencyFigures {
  readonly count: number;
  readonly p50Ms: number | null;
  readonly p90Ms: number | null;
  readonly p99Ms: number | null;
}

/** Each is 5 % longer than the one before, so a quantile is right within 5 %. */
const growth = 1.05;
const shortestMs = 0.01;

/** Counts durations in bounded space. */
export class LatencyTally {
  readonly #buckets = new Map<number, number>();
  #count = 0;

  add(durationMs: number): void {
    const bucket = Math.ceil(Math.log(Math.max(durationMs, shortestMs) / shortestMs) / Math.log(growth));
    this.#buckets.set(bucket, (this.#buckets.get(bucket) ?? 0) + 1);
    this.#count += 1;
  }

  figures(): LatencyFigures {
    return {
      count: this.#count,
      p50Ms: this.#quantile(0.5),
      p90Ms: this.#quantile(0.9),
      p99Ms: this.#quantile(0.99),
    };
  }

  #quantile(share: number): number | null {
    const wanted = Math.ceil(share * this.#count);
    let seen = 0;
    for (const [bucket, count] of [...this.#buckets].toSorted(([one], [other]) => one - other)) {
      seen += count;
      if (seen >= wanted) return Math.round(shortestMs * growth ** bucket * 100) / 100;
    }
    return null;
  }
}
