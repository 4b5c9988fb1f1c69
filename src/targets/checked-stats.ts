import type { VersionCounts } from "../core/release/check/judge-version.ts";
import type { LatencyDistribution } from "../core/release/check/latency-distribution.ts";
import { nothingCounted } from "../core/release/plan/count-versions.ts";
import { escapeRegex } from "../core/routes/escape-regex.ts";
import type { DestinationId } from "../core/routes/route-table.ts";

/** istiod ends the name of a cluster in statistics with a semicolon (Istio `pkg/networking/core`, alt_stat_name). */
const checked =
  /^cluster\.(?<cluster>.+?);?\.(?<what>upstream_rq_completed|upstream_rq_5xx|upstream_rq_time|outlier_detection\.ejections_(?:enforced_total|active))$/;

/** Envoy takes request headers of 60 kB in all, and each name is in the question. */
const namesInAQuestion = 100;

/**
 * Expressions that match what checks judge of these destinations, and nothing else. Requests are those that were
 * answered, by Envoy itself too: `upstream_rq_total` leaves out what no endpoint was there for.
 */
export function* checkedFilters(destinations: readonly DestinationId[]): Generator<string> {
  for (const clusters of clustersInQuestions(destinations)) {
    yield String.raw`^cluster\.(${clusters});?\.(upstream_rq_(completed|5xx|time)|outlier_detection\.ejections_(enforced_total|active))$`;
  }
}

/** Alternatives of an expression that match the names of these destinations, as many at once as one question bears. */
export function* clustersInQuestions(destinations: readonly DestinationId[]): Generator<string> {
  for (let from = 0; from < destinations.length; from += namesInAQuestion) {
    yield destinations
      .slice(from, from + namesInAQuestion)
      .map(escapeRegex)
      .join("|");
  }
}

/** The figures that checks judge, put together from an Envoy's statistics by their names; others are passed over. */
export class CheckedFigures {
  readonly #figures = new Map<DestinationId, VersionCounts>();

  get figures(): ReadonlyMap<DestinationId, VersionCounts> {
    return this.#figures;
  }

  addValue(stat: string, value: number): void {
    this.#place(stat, (counts, what) => withValue(counts, what, value));
  }

  addLatency(stat: string, latency: LatencyDistribution): void {
    this.#place(stat, (counts) => ({ ...counts, latency }));
  }

  #place(stat: string, add: (counts: VersionCounts, what: string) => VersionCounts): void {
    const { cluster, what } = checked.exec(stat)?.groups ?? {};
    if (cluster === undefined || what === undefined) return;
    this.#figures.set(cluster, add(this.#figures.get(cluster) ?? nothingCounted, what));
  }
}

function withValue(counts: VersionCounts, what: string, value: number): VersionCounts {
  if (what === "upstream_rq_completed") return { ...counts, requests: value };
  if (what === "upstream_rq_5xx") return { ...counts, errors: value };
  return what.endsWith("active") ? { ...counts, outOfRotation: value } : { ...counts, ejections: value };
}
