import { hashText } from "../routes/hash-text.ts";
import type { DestinationId, SplitId } from "../routes/route-table.ts";

/** The cluster in the bootstrap that leads to kirikae itself: configuration and access logs. */
export const controlPlaneCluster = "kirikae_xds";

/** The one runtime layer that kirikae pushes. */
export const runtimeLayerName = "kirikae";

/** Above 0 while requests are counted: then every request is logged to kirikae. */
export const ledgerRuntimeKey = "kirikae.ledger";

/**
 * A push is numbered modulo this many slots, and a worker shows the slot that it uses. One bit would not do: two pushes
 * that nobody saw arrive would look like none.
 */
export const epochSlots = 64;

/** The runtime key that is at 100 % while the given slot is the current one. */
export function epochRuntimeKey(slot: number): string {
  return `kirikae.epoch.${slot}`;
}

const splitPrefix = "kirikae.split.";

/**
 * Envoy reads the weight of an arm from `<prefix>.<cluster>`, and the route's own weight where there is no such key. The
 * arms are part of the prefix: while proxies pass from old routes to new ones that lead elsewhere, both are in use, and
 * each reads only keys that were written for all of its arms.
 */
export function runtimeKeyPrefix(split: SplitId, arms: Iterable<DestinationId>): RuntimeKeyPrefix {
  return `${splitPrefix}${hashText([...arms].toSorted().join("\n"))}.${split}`;
}

/** A split with certain arms, as it is named in the runtime. */
export type RuntimeKeyPrefix = string;

/** Whether kirikae made this prefix for a split. */
export function isSplitPrefix(prefix: string): boolean {
  return prefix.startsWith(splitPrefix);
}

/** Routes name the filters that they configure. */
export const faultFilterName = "envoy.filters.http.fault";
export const corsFilterName = "envoy.filters.http.cors";

/** A request with this header is told which route would take it, and goes nowhere. */
export const probeHeader = "x-kirikae-probe";

/** The status of that answer, which no proxy gives otherwise. */
export const probeStatus = 418;

/** Names the cluster that a copied request is sent to, on the listener that is kirikae's own. */
export const copyTargetHeader = "x-kirikae-to";
