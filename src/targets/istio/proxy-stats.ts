import { type CountersByDestination, nothingCounted } from "../../core/release/plan/count-versions.ts";
import type { VersionCounts } from "../../core/release/check/judge-version.ts";
import type { LatencyDistribution } from "../../core/release/check/latency-distribution.ts";
import { asList, asObject, asText, readListed } from "../../core/site/json-value.ts";
import type { DestinationId } from "../../core/routes/route-table.ts";
import { CheckedFigures, checkedFilters, clustersInQuestions } from "../checked-stats.ts";
import type { ProxyAdmin } from "./proxy-admin.ts";

interface Statistic {
  readonly name: string;
  /** Undefined where it is no number. */
  readonly value: number | undefined;
  readonly histograms: unknown;
}

/** What a ledger counts of one destination at one proxy, since the proxy started. */
export interface DestinationTally {
  /** Requests that went out to it, copies and repeated tries included; counted when they begin. */
  readonly begun: number;
  /** Requests that have their last answer, also where the proxy gave it itself. */
  readonly completed: number;
  readonly errors: number;
}

const statsTimeoutMs = 5_000;
/** istiod ends the name of a cluster in statistics with a semicolon (Istio `pkg/networking/core`, alt_stat_name). */
const tallied = /^cluster\.(?<cluster>.+?);?\.upstream_rq_(?<what>total|completed|5xx)$/;

/**
 * Undefined where the proxy keeps no counters of one of these destinations, which is how Istio sets proxies up unless
 * `proxyStatsMatcher` says otherwise. Source: Istio `pkg/bootstrap/config.go`, the default stats inclusion.
 */
export async function readTallies(
  admin: ProxyAdmin,
  destinations: readonly DestinationId[],
): Promise<ReadonlyMap<DestinationId, DestinationTally> | undefined> {
  const tallies = new Map<DestinationId, DestinationTally>();
  const counted = new Set<DestinationId>();
  for (const clusters of clustersInQuestions(destinations)) {
    const filter = String.raw`^cluster\.(${clusters});?\.upstream_rq_(total|completed|5xx)$`;
    for (const { name, value } of await readStats(admin, filter, "&type=Counters")) {
      const { cluster, what } = tallied.exec(name)?.groups ?? {};
      if (cluster === undefined || value === undefined) continue;
      const known = tallies.get(cluster) ?? { begun: 0, completed: 0, errors: 0 };
      // This one is there from the start, the others with the first answer.
      if (what === "total") counted.add(cluster);
      tallies.set(cluster, {
        begun: what === "total" ? value : known.begun,
        completed: what === "completed" ? value : known.completed,
        errors: what === "5xx" ? value : known.errors,
      });
    }
  }
  return destinations.every((id) => counted.has(id)) ? tallies : undefined;
}

/**
 * Requests and errors of every destination that had a request. Undefined where the proxy counts none at all, which tells
 * nothing of whether there were any.
 */
export async function readCounters(admin: ProxyAdmin): Promise<CountersByDestination | undefined> {
  const filter = "^cluster\\.outbound\\|.*\\.upstream_rq_(total|completed|5xx)$";
  const stats = await readStats(admin, filter, "&type=Counters");
  const counters = new Map<DestinationId, VersionCounts>();
  for (const { name, value } of stats) {
    const { cluster, what } = tallied.exec(name)?.groups ?? {};
    if (cluster === undefined || value === undefined || what === "total" || value === 0) continue;
    const known = counters.get(cluster) ?? nothingCounted;
    counters.set(cluster, what === "completed" ? { ...known, requests: value } : { ...known, errors: value });
  }
  return stats.length === 0 ? undefined : counters;
}

/** What a check judges, of these destinations; undefined where the proxy counts nothing of them. */
export async function readFigures(
  admin: ProxyAdmin,
  destinations: ReadonlySet<DestinationId>,
): Promise<CountersByDestination | undefined> {
  if ((await readTallies(admin, [...destinations])) === undefined) return undefined;
  const checked = new CheckedFigures();
  for (const filter of checkedFilters([...destinations])) {
    for (const { name, value, histograms } of await readStats(admin, filter, "&usedonly&histogram_buckets=detailed")) {
      if (value !== undefined) checked.addValue(name, value);
      for (const { name: histogram, totals } of asList(asObject(histograms)["details"]).map(asObject)) {
        checked.addLatency(asText(histogram) ?? "", readBuckets(totals));
      }
    }
  }
  return checked.figures;
}

function readBuckets(totals: unknown): LatencyDistribution {
  return asList(totals)
    .map(asObject)
    .flatMap(({ lower_bound: fromMs, width, count }) =>
      typeof fromMs === "number" && typeof width === "number" && typeof count === "number"
        ? [{ fromMs, widthMs: Math.max(1, width), count }]
        : [],
    );
}

async function readStats(admin: ProxyAdmin, filter: string, more: string): Promise<readonly Statistic[]> {
  const path = `/stats?format=json${more}&filter=${encodeURIComponent(filter)}`;
  return readListed(await admin.get(path, statsTimeoutMs), "stats").map(({ name, value, histograms }) => ({
    name: asText(name) ?? "",
    value: typeof value === "number" ? value : undefined,
    histograms,
  }));
}
