import { KirikaeError } from "../../core/diagnostics/error.ts";
import type { RouteTable, Split, SplitId, SplitWeights, WeightOverrides } from "../../core/routes/route-table.ts";
import { isMovable } from "../../core/envoy/route-actions.ts";
import { isSplitPrefix, type RuntimeKeyPrefix } from "../../core/envoy/names.ts";
import type { RuntimeWeights } from "../../core/envoy/runtime.ts";

/** The splits of a table whose weights can be moved, by id. */
export function movableSplits(table: RouteTable): ReadonlyMap<SplitId, Split> {
  const splits = new Map<SplitId, Split>();
  for (const { virtualHosts } of table.httpRoutings) {
    for (const host of virtualHosts) {
      for (const { action } of host.routes) {
        if (action.kind === "forward" && isMovable(action.split)) splits.set(action.split.id, action.split);
      }
    }
  }
  return splits;
}

/** A weight for every arm: Envoy reads a missing key as the weight of the route configuration, not as 0. */
export function fullWeights(split: Split, weights: SplitWeights): SplitWeights {
  return Object.fromEntries(split.arms.map(({ destination }) => [destination, weights[destination] ?? 0]));
}

/** Reads the weights that a running Envoy's runtime holds, whoever set them, and for whichever routes. */
export function parseRuntimeWeights(runtime: ReadonlyMap<string, string>): RuntimeWeights {
  const layer = new Map<RuntimeKeyPrefix, Record<string, number>>();
  for (const [key, value] of runtime) {
    // A cluster's name begins after the dot before `outbound|`; ids may contain dots themselves.
    const at = key.lastIndexOf(".outbound|");
    const prefix = key.slice(0, at);
    if (at === -1 || !isSplitPrefix(prefix)) continue;
    const weights = layer.get(prefix) ?? {};
    weights[key.slice(at + 1)] = Number(value);
    layer.set(prefix, weights);
  }
  return layer;
}

/** @throws KirikaeError KIR3001 for a split that is not there, KIR3002 for weights without any share. */
export function checkWeights(splits: ReadonlyMap<SplitId, Split>, weights: WeightOverrides): void {
  for (const [id, value] of weights) {
    const split = splits.get(id);
    if (split === undefined) {
      throw new KirikaeError("KIR3001", `No route has movable weights under the identity ${id}.`, { exitStatus: 2 });
    }
    const given = Object.values(fullWeights(split, value));
    if (given.some((weight) => !Number.isInteger(weight) || weight < 0) || given.every((weight) => weight === 0)) {
      throw new KirikaeError("KIR3002", `The weights for ${id} leave it no share: ${JSON.stringify(value)}.`, {
        exitStatus: 2,
      });
    }
  }
}
