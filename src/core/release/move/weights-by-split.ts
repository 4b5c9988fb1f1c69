import type { SplitId, SplitWeights } from "../../routes/route-table.ts";
import type { SplitChange } from "./move.ts";

/** As journals hold it. */
export type WeightsBySplit = Readonly<Record<SplitId, SplitWeights>>;

export function weightsOfChanges(changes: readonly SplitChange[], which: "before" | "after"): WeightsBySplit {
  return Object.fromEntries(changes.map((change) => [change.split, change[which]]));
}
