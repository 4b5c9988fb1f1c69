import { KirikaeError } from "../../core/diagnostics/error.ts";
import { isSameShare } from "../../core/release/move/split-weights.ts";
import type { RouteTable, SplitId, WeightOverrides } from "../../core/routes/route-table.ts";
import { splitsOf, weightsOf } from "../../core/routes/weights.ts";

/**
 * Why these weights must not be written: a rule has a share that is none of those that they may take the place of, so that
 * somebody else has moved it since. Rules that `replaces` does not name may have any. Undefined where nothing is in the way.
 */
export function complainReplaced(
  table: RouteTable,
  { weights, replaces }: { readonly weights: WeightOverrides; readonly replaces: readonly WeightOverrides[] },
): { readonly split: SplitId; readonly error: KirikaeError } | undefined {
  const splits = splitsOf(table);
  for (const id of weights.keys()) {
    const split = splits.get(id);
    const expected = replaces.map((each) => each.get(id)).filter((each) => each !== undefined);
    if (split === undefined || expected.length === 0) continue;
    const live = weightsOf(split);
    if (!expected.some((each) => isSameShare(live, each))) return { split: id, error: movedSince(id) };
  }
  return undefined;
}

function movedSince(id: SplitId): KirikaeError {
  const message = `Somebody else has moved ${id} since: it has neither the weights from before nor those of this move, so nothing was written.`;
  return new KirikaeError("KIR4007", message, {
    exitStatus: 1,
    hint: "Look at what is live now, and plan again.",
  });
}
