import type { MoveResult } from "./report.ts";
import type { StepSights } from "./watch-step.ts";

/** What a move means for the release that it is a step of, or the way back. */
export type StepOutcome =
  | ({
      readonly kind: "moved";
      readonly failed: number;
      readonly move?: string;
      /** What could not be confirmed or counted. */
      readonly note?: string;
    } & StepSights)
  | { readonly kind: "moveFailed"; readonly reason: string; readonly move?: string };

/**
 * Weights that every proxy has proved are moved, whatever the requests met meanwhile: how many may fail is said by the
 * release and its checks. Anything else about the evidence is a failure of the step.
 */
export function judgeMove({ id, ok, outcome, message, ledger, callToProofMs }: MoveResult): StepOutcome {
  const isProved = callToProofMs !== null && ledger?.isComplete === true && ledger.oldAfterDone === 0;
  if (ok && message !== undefined) return { kind: "moved", failed: ledger?.failed ?? 0, move: id, note: message };
  if (ok || (outcome === "unproved" && isProved)) return { kind: "moved", failed: ledger?.failed ?? 0, move: id };
  return { kind: "moveFailed", reason: `${outcome}: ${message ?? "the move did not end well"}`, move: id };
}
