import type { DestinationId, SplitWeights } from "../../routes/route-table.ts";

/** Envoy refuses a weighted cluster whose weights add up to more: they are uint32 (`route_components.proto`). */
export const MAX_TOTAL_WEIGHT = 4_294_967_295;

/** Shares are counted in hundredths of a percent, so that two decimals stay exact. */
export const FULL_SHARE = 10_000;

export function totalWeight(weights: SplitWeights): number {
  let total = 0;
  for (const weight of Object.values(weights)) total += weight;
  return total;
}

/** Whether both send the same part of the traffic everywhere; `1:1` equals `50:50`, a missing arm equals 0. */
export function isSameShare(left: SplitWeights, right: SplitWeights): boolean {
  const leftTotal = totalWeight(left);
  const rightTotal = totalWeight(right);
  if (leftTotal === 0 || rightTotal === 0) return leftTotal === rightTotal;
  // Products stay exact as integers of any size, quotients would not.
  const leftScale = BigInt(rightTotal);
  const rightScale = BigInt(leftTotal);
  const destinations = new Set([...Object.keys(left), ...Object.keys(right)]);
  for (const destination of destinations) {
    if (BigInt(left[destination] ?? 0) * leftScale !== BigInt(right[destination] ?? 0) * rightScale) return false;
  }
  return true;
}

/**
 * The destinations that get a larger share after a change. Weights alone do not say it: `199:1` to `9:1` gives the second
 * twenty times as much without changing its weight.
 */
export function gainingDestinations(before: SplitWeights, after: SplitWeights): readonly DestinationId[] {
  const totalBefore = BigInt(totalWeight(before));
  const totalAfter = BigInt(totalWeight(after));
  return Object.entries(after)
    .filter(([destination, weight]) => {
      if (totalBefore === 0n) return weight > 0;
      return BigInt(weight) * totalBefore > BigInt(before[destination] ?? 0) * totalAfter;
    })
    .map(([destination]) => destination);
}

/** The arms of one rule that share its traffic among the versions of one service, by version. */
export type ShareGroup = ReadonlyMap<string, DestinationId>;

/** Hundredths of a percent by version; versions not named get nothing. They add up to `FULL_SHARE`. */
export type Shares = ReadonlyMap<string, number>;

/**
 * Divides the weight of each group anew, leaving every other arm its share of the whole. Weights are integers, so all
 * of them grow by the smallest factor that keeps the shares exact. Undefined when that would exceed what a proxy can
 * hold.
 */
export function divideGroups(
  weights: SplitWeights,
  groups: readonly { readonly group: ShareGroup; readonly shares: Shares }[],
): SplitWeights | undefined {
  let factor = 1;
  for (const { group, shares } of groups) {
    const groupWeight = weightOfGroup(weights, group);
    for (const version of group.keys()) {
      const parts = groupWeight * (shares.get(version) ?? 0);
      factor = leastCommonMultiple(factor, FULL_SHARE / greatestCommonDivisor(FULL_SHARE, parts));
    }
  }
  if (totalWeight(weights) * factor > MAX_TOTAL_WEIGHT) return undefined;

  const divided: Record<DestinationId, number> = {};
  for (const [destination, weight] of Object.entries(weights)) divided[destination] = weight * factor;
  for (const { group, shares } of groups) {
    const groupWeight = weightOfGroup(weights, group);
    for (const [version, destination] of group) {
      divided[destination] = (groupWeight * (shares.get(version) ?? 0) * factor) / FULL_SHARE;
    }
  }
  return divided;
}

export function weightOfGroup(weights: SplitWeights, group: ShareGroup): number {
  let total = 0;
  for (const destination of group.values()) total += weights[destination] ?? 0;
  return total;
}

function greatestCommonDivisor(left: number, right: number): number {
  return right === 0 ? left : greatestCommonDivisor(right, left % right);
}

function leastCommonMultiple(left: number, right: number): number {
  return (left / greatestCommonDivisor(left, right)) * right;
}
