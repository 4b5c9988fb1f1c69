import type { CountersByDestination } from "../../core/release/plan/count-versions.ts";
import type { DestinationId } from "../../core/routes/route-table.ts";
import { CheckedFigures, checkedFilters } from "../checked-stats.ts";
import type { EnvoyAdmin } from "./admin.ts";

/**
 * Reads what a check judges, of these destinations only. Histograms are those of the last flush, at most a second old;
 * their buckets hold all answers since the proxy started (Envoy doc: operations/admin, `histogram_buckets=detailed`).
 */
export async function readCheckedFigures(
  admin: EnvoyAdmin,
  destinations: ReadonlySet<DestinationId>,
): Promise<CountersByDestination> {
  const checked = new CheckedFigures();
  for (const filter of checkedFilters([...destinations])) {
    const { values, histograms } = await admin.statsWithBuckets(filter);
    for (const [stat, value] of values) checked.addValue(stat, value);
    for (const [stat, latency] of histograms) checked.addLatency(stat, latency);
  }
  return checked.figures;
}
