import type { SplitWeights } from "../../routes/route-table.ts";
import { destinationParts } from "./movable-rules.ts";
import { renderList } from "./refusals.ts";
import { totalWeight } from "./split-weights.ts";

/** `green 100 %` for people; hosts with subsets by the subset. */
export function renderWeights(weights: SplitWeights): string {
  const total = totalWeight(weights);
  const parts = Object.entries(weights)
    .filter(([, weight]) => weight > 0)
    .map(([destination, weight]) => {
      const { subset, host } = destinationParts(destination);
      return `${subset ?? host} ${Math.round((weight / total) * 10_000) / 100} %`;
    });
  return renderList(parts);
}
