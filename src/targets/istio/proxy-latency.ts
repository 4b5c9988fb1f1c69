import type { DestinationId } from "../../core/routes/route-table.ts";
import { asList, asObject, asText, readListed } from "../../core/site/json-value.ts";
import type { ProxyAdmin } from "./proxy-admin.ts";

/** How long the answers of the last seconds took, in milliseconds. */
export type LatencyByDestination = ReadonlyMap<DestinationId, { readonly p50Ms: number; readonly p99Ms: number }>;

const statsTimeoutMs = 5_000;
/** istiod ends the name of a cluster in statistics with a semicolon (Istio `pkg/networking/core`, alt_stat_name). */
const timed = /^cluster\.(?<cluster>outbound\|.+?);?\.upstream_rq_time$/;

/**
 * Of the last flush interval, by destination that gave an answer in it. Empty where the proxy keeps no such histograms,
 * which is how Istio sets proxies up unless `proxyStatsMatcher` says otherwise.
 */
export async function readLatencies(admin: Pick<ProxyAdmin, "get">): Promise<LatencyByDestination> {
  const filter = encodeURIComponent(String.raw`^cluster\.outbound\|.*\.upstream_rq_time$`);
  const answer = await admin.get(`/stats?format=json&usedonly&type=Histograms&filter=${filter}`, statsTimeoutMs);
  const latencies = new Map<DestinationId, { readonly p50Ms: number; readonly p99Ms: number }>();
  for (const histograms of readListed(answer, "stats").map((each) => asObject(each["histograms"]))) {
    const percents = asList(histograms["supported_quantiles"]);
    for (const { name, values } of asList(histograms["computed_quantiles"]).map(asObject)) {
      const { cluster } = timed.exec(asText(name) ?? "")?.groups ?? {};
      const p50Ms = asObject(asList(values)[percents.indexOf(50)])["interval"];
      const p99Ms = asObject(asList(values)[percents.indexOf(99)])["interval"];
      if (cluster !== undefined && isTime(p50Ms) && isTime(p99Ms)) latencies.set(cluster, { p50Ms, p99Ms });
    }
  }
  return latencies;
}

/** Nothing was recorded in the interval where it is none. */
function isTime(value: unknown): value is number {
  return typeof value === "number";
}

/** Of several proxies the longest, because quantiles cannot be added up. */
export function slowestOf(all: readonly LatencyByDestination[]): LatencyByDestination {
  const merged = new Map<DestinationId, { readonly p50Ms: number; readonly p99Ms: number }>();
  for (const [id, { p50Ms, p99Ms }] of all.flatMap((each) => [...each])) {
    const known = merged.get(id) ?? { p50Ms: 0, p99Ms: 0 };
    merged.set(id, { p50Ms: Math.max(known.p50Ms, p50Ms), p99Ms: Math.max(known.p99Ms, p99Ms) });
  }
  return merged;
}
