import { addCounts, type CountersByDestination, nothingCounted } from "../../core/release/plan/count-versions.ts";
import type { VersionCounts } from "../../core/release/check/judge-version.ts";
import type { DestinationId } from "../../core/routes/route-table.ts";
import type { EnvoyAdmin } from "./admin.ts";

const statPattern =
  /^cluster\.(?<cluster>.+)\.(?<what>upstream_rq_completed|upstream_rq_5xx|upstream_rq_time|outlier_detection\.ejections_(?:enforced_total|active))$/;

/** Envoy takes request headers of 60 kB in all, and each name is in the question. */
const namesInAQuestion = 100;

/**
 * Reads what a check judges, of these destinations only. Histograms are those of the last flush, at most a second old;
 * their buckets hold all answers since the proxy started (Envoy doc: operations/admin, `histogram_buckets=detailed`).
 * Requests are those that were answered, by Envoy itself too: `upstream_rq_total` leaves out what no endpoint was there for.
 */
export async function readCheckedFigures(
  admin: EnvoyAdmin,
  destinations: ReadonlySet<DestinationId>,
): Promise<CountersByDestination> {
  const figures = new Map<DestinationId, VersionCounts>();
  const names = [...destinations];
  for (let from = 0; from < names.length; from += namesInAQuestion) {
    const { values, histograms } = await admin.statsWithBuckets(filterFor(names.slice(from, from + namesInAQuestion)));
    for (const [stat, value] of values) place(figures, stat, (counts, what) => withValue(counts, what, value));
    for (const [stat, latency] of histograms) place(figures, stat, (counts) => ({ ...counts, latency }));
  }
  return figures;
}

function filterFor(names: readonly DestinationId[]): string {
  const clusters = names.map((name) => name.replaceAll(/[.*+?^${}()|[\]\\]/gu, String.raw`\$&`)).join("|");
  return String.raw`^cluster\.(${clusters})\.(upstream_rq_(completed|5xx|time)|outlier_detection\.ejections_(enforced_total|active))$`;
}

function place(
  figures: Map<DestinationId, VersionCounts>,
  stat: string,
  add: (counts: VersionCounts, what: string) => VersionCounts,
): void {
  const { cluster, what } = statPattern.exec(stat)?.groups ?? {};
  if (cluster === undefined || what === undefined) return;
  figures.set(cluster, add(figures.get(cluster) ?? nothingCounted, what));
}

function withValue(counts: VersionCounts, what: string, value: number): VersionCounts {
  if (what === "upstream_rq_completed") return { ...counts, requests: value };
  if (what === "upstream_rq_5xx") return { ...counts, errors: value };
  return what.endsWith("active") ? { ...counts, outOfRotation: value } : { ...counts, ejections: value };
}

/** Adds the figures of several proxies up. */
export function sumFigures(all: readonly CountersByDestination[]): CountersByDestination {
  const sums = new Map<DestinationId, VersionCounts>();
  for (const [id, counts] of all.flatMap((figures) => [...figures])) {
    sums.set(id, addCounts(sums.get(id) ?? nothingCounted, counts));
  }
  return sums;
}
