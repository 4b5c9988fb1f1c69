import type { SplitId } from "../routes/route-table.ts";

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

/** Envoy reads the weight of an arm from `<prefix>.<cluster>`. */
export function runtimeKeyPrefix(split: SplitId): string {
  return splitPrefix + split;
}

/** The split that a runtime key prefix stands for, or undefined for a prefix that is not kirikae's. */
export function splitOfRuntimeKeyPrefix(prefix: string): SplitId | undefined {
  return prefix.startsWith(splitPrefix) ? prefix.slice(splitPrefix.length) : undefined;
}
