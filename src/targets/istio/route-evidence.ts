import { isSameShare } from "../../core/release/move/split-weights.ts";
import { nameDestination } from "../../core/routes/name-destination.ts";
import type { RouteTable, SplitId, SplitWeights, WeightOverrides } from "../../core/routes/route-table.ts";
import { type DumpedSplit, readDumpedOwnRoutes, readDumpedSplits } from "../../core/site/read-dumped-splits.ts";
import { readListed } from "../../core/site/json-value.ts";
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
  const configs = readListed(await istiod.get(path, { timeoutMs: viewTimeoutMs }), "configs");
  // In the form in which a proxy's own dump has them.
  return { configs: configs.map((routes) => ({ route_config: routes })) };
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

/**
 * That a proxy has exactly these routes of kirikae's own, by VirtualService (`namespace/name`), as its rules are at some
 * of its ports. Their names tell what is in them (`nameOwnRoute`).
 */
export function ownRouteEvidence(wanted: ReadonlyMap<string, readonly string[]>): Evidence {
  const judge = (dump: unknown): Sight => judgeOwnRoutes(wanted, dump);
  return {
    type: "route",
    stamp: (admin) => admin.stampRoutes(),
    judge: async (admin) => judge(await admin.dumpRoutes()),
    judgeView: async (istiod, proxyId) => judge(await readRouteView(istiod, proxyId)),
  };
}

function judgeOwnRoutes(wanted: ReadonlyMap<string, readonly string[]>, dump: unknown): Sight {
  const seen = readDumpedOwnRoutes(dump).filter(({ virtualService }) => wanted.has(virtualService));
  if (seen.length === 0) return { kind: "absent" };
  for (const [virtualService, names] of wanted) {
    const own = seen.filter((each) => each.virtualService === virtualService);
    if (own.length === 0) continue;
    const has = new Set(own.flatMap((each) => [...each.names]));
    const missing = names.find((name) => !has.has(name));
    if (missing !== undefined) return { kind: "other", text: `has no route ${missing} yet` };
    const left = [...has].find((name) => !names.includes(name));
    if (left !== undefined) return { kind: "other", text: `still has the route ${left}` };
  }
  return { kind: "shown" };
}

function describeShares(weights: SplitWeights): string {
  return Object.entries(weights)
    .filter(([, weight]) => weight > 0)
    .map(([id, weight]) => `${nameDestination(id).subset ?? nameDestination(id).host} ${weight}`)
    .join(", ");
}
