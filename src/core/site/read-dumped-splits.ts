import type { RouteTable, SplitId, SplitWeights } from "../routes/route-table.ts";

export interface DumpQuestion {
  /** Whether what releases have laid is in it does not count: routes of kirikae's own are told by their names. */
  readonly table: RouteTable;
  readonly splits: readonly SplitId[];
}

/** `absent`: the proxy has no virtual host with these rules. `unreadable`: it has, but the rules are not the table's. */
export type DumpedSplit = SplitWeights | "absent" | "unreadable";

export function readDumpedSplits(_dump: unknown, { splits }: DumpQuestion): ReadonlyMap<SplitId, DumpedSplit> {
  return new Map(splits.map((split) => [split, "absent"]));
}
