import type { MovePlan, MoveRequest } from "../core/release/move/move.ts";
import type { PastMove } from "../core/release/move/past-move.ts";
import { planMove } from "../core/release/move/plan-move.ts";
import type { LiveMesh } from "./live-mesh.ts";

/**
 * Plans a move on what is live. Throws the KirikaeError of the refusal for a request that cannot be carried out.
 * @param history moves with an end, oldest first
 */
export function planOnMesh(
  mesh: Pick<LiveMesh, "table" | "placements">,
  request: MoveRequest,
  history: readonly PastMove[],
): MovePlan {
  const planning = planMove({ table: mesh.table, current: mesh.placements(), request, history });
  if (planning.kind === "refused") throw planning.error;
  return planning.plan;
}
