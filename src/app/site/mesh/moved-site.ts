import type { ServiceDescription } from "../../../core/release/move/describe-service.ts";
import type { EndpointCounts } from "../../../core/release/move/limit-return.ts";
import type { MovePlan, MoveRequest } from "../../../core/release/move/move.ts";
import type { PastMove } from "../../../core/release/move/past-move.ts";
import type { DestinationId, SplitId, SplitWeights } from "../../../core/routes/route-table.ts";
import type { SiteTarget } from "../../../targets/istio/site-target.ts";
import type { LiveMesh } from "../../live-mesh.ts";
import type { CountUnready } from "./site-endpoints.ts";
import type { SiteObjects } from "../objects/site-objects.ts";

/** The routes of one cluster, or of several under qualified names, as their objects say them now. */
export interface MovedRoutes extends LiveMesh, Pick<SiteObjects, "objects" | "object"> {
  /** Takes what has changed in the objects since; true where that changed the routes. */
  refresh(): boolean;
  servicesOf(destinations: Iterable<DestinationId>): readonly ServiceDescription[];
  /** Throws the KirikaeError of the refusal for a request that cannot be carried out. */
  plan(request: MoveRequest, history: readonly PastMove[]): MovePlan;
  /** What is live of a rule; undefined where there is none. */
  weights(split: SplitId): SplitWeights | undefined;
  countEndpoints(ids: Iterable<DestinationId>): EndpointCounts;
  /** Of the moment when it is called. */
  createUnreadyCount(): CountUnready;
}

/** What is done in one cluster, or in several, beside moving weights. */
export type MovedPlace = Pick<
  SiteTarget,
  | "observe"
  | "stats"
  | "figures"
  | "latencies"
  | "processes"
  | "laid"
  | "lay"
  | "findStripped"
  | "editSubsets"
  | "status"
>;
