import type { DestinationId } from "../../core/routes/route-table.ts";
import type { EnvoyAdmin } from "./admin.ts";

/** Counters of one destination since its proxy started. A restart begins at 0 again. */
export interface DestinationCounters {
  /** That have their last answer, also where Envoy gave it itself; a try that was repeated is none. */
  readonly requests: number;
  /** Of these, answers with a status of 500 or more. */
  readonly errors: number;
}

const statPattern = /^cluster\.(?<cluster>.+)\.upstream_rq_(?<what>completed|5xx)$/;

/**
 * Reads the counters of every destination that had a request, from one proxy. Both are counted in the same moment, and
 * `upstream_rq_total` is not: it leaves out requests that no endpoint was there for (Envoy doc: "Cluster manager",
 * "Dynamic HTTP statistics").
 */
export async function readDestinationCounters(
  admin: EnvoyAdmin,
): Promise<ReadonlyMap<DestinationId, DestinationCounters>> {
  const stats = await admin.stats("^cluster\\.outbound\\|.*\\.upstream_rq_(completed|5xx)$", {
    usedOnly: true,
    type: "Counters",
  });
  const counters = new Map<DestinationId, DestinationCounters>();
  for (const [name, value] of stats) {
    const { cluster, what } = statPattern.exec(name)?.groups ?? {};
    if (cluster === undefined) continue;
    const known = counters.get(cluster) ?? { requests: 0, errors: 0 };
    counters.set(cluster, what === "completed" ? { ...known, requests: value } : { ...known, errors: value });
  }
  return counters;
}

/** Adds the counters of several proxies up. */
export function sumCounters(
  all: readonly ReadonlyMap<DestinationId, DestinationCounters>[],
): ReadonlyMap<DestinationId, DestinationCounters> {
  const sums = new Map<DestinationId, DestinationCounters>();
  for (const [id, { requests, errors }] of all.flatMap((counters) => [...counters])) {
    const known = sums.get(id) ?? { requests: 0, errors: 0 };
    sums.set(id, { requests: known.requests + requests, errors: known.errors + errors });
  }
  return sums;
}
