import { isSameShare } from "../../core/release/move/split-weights.ts";
import { nameDestination } from "../../core/routes/name-destination.ts";
import type { RouteTable, SplitId, SplitWeights, WeightOverrides } from "../../core/routes/route-table.ts";
import { type DumpedSplit, readDumpedSplits } from "../../core/site/read-dumped-splits.ts";
import type { Evidence, Sight } from "./evidence.ts";
import type { IstiodPlace } from "./site-view.ts";

const viewTimeoutMs = 10_000;

/** That routes divide their requests as they should. The table is asked anew each time, because it follows the writes. */
export function weightEvidence(weights: WeightOverrides, table: () => RouteTable): Evidence {
  const judge = (dump: unknown): Sight => {
    const seen = readDumpedSplits(dump, { table: table(), splits: [...weights.keys()] });
    return judgeWeights(weights, seen);
  };
  return {
    type: "route",
    stamp: (admin) => admin.stampRoutes(),
    judge: async (admin) => judge(await admin.dumpRoutes()),
    judgeView: async (istiod, proxyId) => judge(await readRouteView(istiod, proxyId)),
  };
}

/** The route configurations that istiod would send to a proxy (Istio `pilot/pkg/xds/debug.go`, ConfigDump, `types`). */
export async function readRouteView(istiod: IstiodPlace, proxyId: string): Promise<unknown> {
  const path = `/debug/config_dump?proxyID=${encodeURIComponent(proxyId)}&types=rds`;
  const view: unknown = JSON.parse(await istiod.get(path, { timeoutMs: viewTimeoutMs }));
  return view;
}

/** A proxy that has some of the routes and not others serves them at some of its ports only. */
function judgeWeights(wanted: WeightOverrides, seen: ReadonlyMap<SplitId, DumpedSplit>): Sight {
  let isConcerned = false;
  for (const [split, weights] of wanted) {
    const live = seen.get(split) ?? "absent";
    if (live === "absent") continue;
    isConcerned = true;
    if (live === "unreadable")
      return { kind: "other", text: `has other rules than the table in the place of ${split}` };
    if (!isSameShare(live, weights)) return { kind: "other", text: `shows ${describeShares(live)}` };
  }
  return { kind: isConcerned ? "shown" : "absent" };
}

function describeShares(weights: SplitWeights): string {
  return Object.entries(weights)
    .filter(([, weight]) => weight > 0)
    .map(([id, weight]) => `${nameDestination(id).subset ?? nameDestination(id).host} ${weight}`)
    .join(", ");
}
