import type { DestinationId } from "../../core/routes/route-table.ts";
import type { EnvoyAdmin } from "./admin.ts";

/** How long answers took, in milliseconds. */
export type LatencyByDestination = ReadonlyMap<DestinationId, { readonly p50Ms: number; readonly p99Ms: number }>;

const timePattern = /^cluster\.(?<cluster>.+)\.upstream_rq_time$/;

/** Reads how long the answers of the last flush interval took, one second, by destination that gave any. */
export async function readLatencies(admin: EnvoyAdmin): Promise<LatencyByDestination> {
  const { recent } = await admin.statsWithQuantiles("^cluster\\.outbound\\|.*\\.upstream_rq_time$", {
    type: "Histograms",
  });
  const latencies = new Map<DestinationId, { readonly p50Ms: number; readonly p99Ms: number }>();
  for (const [stat, times] of recent) {
    const { cluster } = timePattern.exec(stat)?.groups ?? {};
    const p50Ms = times.get(50);
    const p99Ms = times.get(99);
    if (cluster !== undefined && p50Ms !== undefined && p99Ms !== undefined) latencies.set(cluster, { p50Ms, p99Ms });
  }
  return latencies;
}

/** Of several proxies the longest, because quantiles cannot be added up. */
export function mergeLatencies(readings: readonly LatencyByDestination[]): LatencyByDestination {
  const merged = new Map<DestinationId, { readonly p50Ms: number; readonly p99Ms: number }>();
  for (const [destination, { p50Ms, p99Ms }] of readings.flatMap((each) => [...each])) {
    const known = merged.get(destination) ?? { p50Ms: 0, p99Ms: 0 };
    merged.set(destination, { p50Ms: Math.max(known.p50Ms, p50Ms), p99Ms: Math.max(known.p99Ms, p99Ms) });
  }
  return merged;
}
