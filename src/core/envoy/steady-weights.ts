import type { Split, SplitWeights } from "../routes/route-table.ts";

/** What weights may add up to: they are uint32 (Envoy: route_components.proto, WeightedCluster). */
const largestTotal = 4_294_967_295;

/**
 * The same shares, counted out of a total that stays as it is while shares change: Envoy takes a visitor's hash modulo
 * the total, so that another total would send everybody somewhere else. A split whose arms are drawn keeps its weights.
 * Moves multiply totals by divisors of 10,000 only, so that whatever is left without the factors 2 and 5 tells the rule.
 */
export function steadyWeights({ chosenBy }: Pick<Split, "chosenBy">, weights: SplitWeights): SplitWeights {
  if (chosenBy === undefined) return weights;
  const total = Object.values(weights).reduce((sum, weight) => sum + weight, 0);
  const steady = steadyTotal(total);
  if (steady % total !== 0) return weights;
  return Object.fromEntries(
    Object.entries(weights).map(([destination, weight]) => [destination, weight * (steady / total)]),
  );
}

function steadyTotal(total: number): number {
  let steady = withoutFactor(withoutFactor(total, 2), 5);
  while (steady > 0 && steady * 10 <= largestTotal) steady *= 10;
  return steady;
}

function withoutFactor(value: number, factor: number): number {
  let rest = value;
  while (rest > 0 && rest % factor === 0) rest /= factor;
  return rest;
}
