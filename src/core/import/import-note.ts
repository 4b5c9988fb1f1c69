import type { Position } from "../diagnostics/position.ts";

/** Something of the other tool's object that the Release cannot say, or says in another way. */
export interface ImportNote {
  /** `Kind namespace/name`. */
  readonly resource: string;
  /** As in `spec.strategy.canary.steps[2].experiment`. */
  readonly path: string;
  /** One sentence or two, without quoting values that may be secret. */
  readonly message: string;
  readonly at: Position;
}

/** Fields that say nothing about traffic; told once for all of one reason. */
export interface LeftOut {
  readonly resource: string;
  readonly reason: string;
  readonly paths: readonly string[];
}
