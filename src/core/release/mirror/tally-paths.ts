import { foldPath } from "./fold-path.ts";

/** How many requests of each path came, over time: what a place that is to serve them has to be sized for. */
export interface PathFigures {
  /** When counting began, in milliseconds since the epoch. */
  readonly fromMs: number;
  readonly spanMs: number;
  /** How long each of the values of `perSecond` lasted. */
  readonly windowMs: number;
  /** The most frequent first. */
  readonly paths: readonly PathRate[];
  /** All other paths together; null where there are none. */
  readonly others: PathRate | null;
}

export interface PathRate {
  /** Ids within it are `*`. */
  readonly path: string;
  /** Estimated from the copies, as all figures here. */
  readonly requests: number;
  readonly averagePerSecond: number;
  readonly peakPerSecond: number;
  /** Oldest first. */
  readonly perSecond: readonly number[];
}

const firstWindowMs = 1_000;
/** When there would be more, two become one. */
const maxWindows = 60;
const maxPaths = 50;
/** Paths beyond these are counted together from the start, so that nobody fills the memory with names. */
const maxKnownPaths = 1_000;
const othersName = "others";

/** Counts requests by path over time, in bounded space. */
export class PathTally {
  readonly #fromMs: number;
  readonly #windows = new Map<string, number[]>();
  #windowMs = firstWindowMs;

  constructor(fromMs: number) {
    this.#fromMs = fromMs;
  }

  /** @param standsFor how many requests one copy stands for: 100 where one percent is copied */
  add(path: string, { atMs, standsFor }: { readonly atMs: number; readonly standsFor: number }): void {
    const sinceMs = Math.max(0, atMs - this.#fromMs);
    while (sinceMs >= this.#windowMs * maxWindows) this.#widen();
    const window = Math.floor(sinceMs / this.#windowMs);
    const folded = foldPath(path);
    const name = this.#windows.has(folded) || this.#windows.size < maxKnownPaths ? folded : othersName;
    const counts = this.#windows.get(name) ?? [];
    counts[window] = (counts[window] ?? 0) + standsFor;
    this.#windows.set(name, counts);
  }

  figures(nowMs: number): PathFigures {
    const spanMs = Math.max(nowMs - this.#fromMs, 1);
    const rows = [...this.#windows].map(([path, counts]) => ({ path, counts, sum: sumOf(counts) }));
    const known = rows.filter(({ path }) => path !== othersName).toSorted((one, other) => other.sum - one.sum);
    const rest = [...known.slice(maxPaths), ...rows.filter(({ path }) => path === othersName)];
    const rate = (path: string, counts: readonly (number | undefined)[]): PathRate =>
      this.#rate(path, counts, { spanMs });
    return {
      fromMs: this.#fromMs,
      spanMs,
      windowMs: this.#windowMs,
      paths: known.slice(0, maxPaths).map(({ path, counts }) => rate(path, counts)),
      others: rest.length === 0 ? null : rate(othersName, addUp(rest.map(({ counts }) => counts))),
    };
  }

  #rate(path: string, counts: readonly (number | undefined)[], { spanMs }: { readonly spanMs: number }): PathRate {
    const windows = Math.min(maxWindows, Math.ceil(spanMs / this.#windowMs));
    const perSecond = Array.from({ length: windows }, (_, index) => {
      // The last window has just begun.
      const lengthMs = Math.min(this.#windowMs, spanMs - index * this.#windowMs);
      return round(((counts[index] ?? 0) * 1_000) / Math.max(lengthMs, firstWindowMs));
    });
    const requests = sumOf(counts);
    return {
      path,
      requests: Math.round(requests),
      averagePerSecond: round((requests * 1_000) / Math.max(spanMs, firstWindowMs)),
      peakPerSecond: Math.max(0, ...perSecond),
      perSecond,
    };
  }

  #widen(): void {
    this.#windowMs *= 2;
    for (const [path, counts] of this.#windows) {
      const halved: number[] = [];
      for (let index = 0; index < counts.length; index += 2) {
        halved.push((counts[index] ?? 0) + (counts[index + 1] ?? 0));
      }
      this.#windows.set(path, halved);
    }
  }
}

function sumOf(counts: readonly (number | undefined)[]): number {
  return counts.reduce<number>((sum, count) => sum + (count ?? 0), 0);
}

function addUp(rows: readonly (readonly (number | undefined)[])[]): readonly number[] {
  const length = Math.max(0, ...rows.map((counts) => counts.length));
  return Array.from({ length }, (_, index) => sumOf(rows.map((counts) => counts[index])));
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
