import type { ReleaseSpec } from "../core/manifest/release.ts";
import type { ServiceDescription } from "../core/release/move/describe-service.ts";
import type { PlannedSites } from "../core/release/plan/plan-release.ts";
import type { RouteTable, WeightOverrides } from "../core/routes/route-table.ts";

/** What moves and releases are planned on, wherever the routes come from: a folder of manifests, or a cluster. */
export interface LiveMesh {
  readonly table: RouteTable;
  /** Weights that are live and differ from the table's own. */
  placements(): WeightOverrides;
  /** What can be moved besides weights; absent for a folder of manifests, which nobody writes to. */
  readonly sites?: PlannedSites;
  /**
   * The table as it will be when the subsets that a Release adds are there, so that its weights can be planned before
   * they are; what is live already stays as it is. Absent where there are no DestinationRules to write.
   */
  tableFor?(spec: ReleaseSpec): RouteTable;
  /** Every VirtualService that is routed. */
  services(): readonly ServiceDescription[];
}
