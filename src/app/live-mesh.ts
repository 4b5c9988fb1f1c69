import type { ServiceDescription } from "../core/release/move/describe-service.ts";
import type { RouteTable, WeightOverrides } from "../core/routes/route-table.ts";

/** What moves and releases are planned on, wherever the routes come from: a folder of manifests, or a cluster. */
export interface LiveMesh {
  readonly table: RouteTable;
  /** Weights that are live and differ from the table's own. */
  placements(): WeightOverrides;
  /** Every VirtualService that is routed. */
  services(): readonly ServiceDescription[];
}
