import type { MovePlan } from "./move.ts";

/** How a move ended. `unproved` is live like `done`, but not all of its evidence is there. */
export type MoveOutcome = "done" | "unproved" | "refused" | "restored" | "stuck";

/** A move that the journal knows the end of. */
export interface PastMove {
  readonly id: string;
  readonly plan: MovePlan;
  readonly outcome: MoveOutcome;
}
