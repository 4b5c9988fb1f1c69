import { errorText } from "../core/diagnostics/error-text.ts";
import type { MoveEvent } from "../core/release/move/advance.ts";
import { isWayBack, type MovePlan, type SplitChange } from "../core/release/move/move.ts";
import { nameMover } from "../core/release/move/name-mover.ts";
import type { WeightOverrides } from "../core/routes/route-table.ts";
import type { ApplyReport, Target } from "./ports.ts";
import type { MoveProgress } from "./report.ts";

interface ApplyMeans {
  readonly target: Target;
  readonly applyTimeoutMs: number;
  /** Hears whom the proof waits for. */
  readonly onProgress?: (progress: MoveProgress) => void;
}

function weightsOf(changes: readonly SplitChange[], which: "before" | "after"): WeightOverrides {
  return new Map(changes.map((change) => [change.split, change[which]]));
}

/** Applies, and takes a target that throws for one that did not prove it: the weights may or may not be live. */
export async function applyOrFail(
  { target, applyTimeoutMs, onProgress }: ApplyMeans,
  { plan, which, changes = plan.changes }: AppliedWeights,
): Promise<ApplyReport> {
  const { proof, takeOver } = plan;
  try {
    return await target.apply(weightsOf(changes, which), {
      timeoutMs: timeoutOf(plan, applyTimeoutMs),
      replaces: [weightsOf(changes, "before"), weightsOf(changes, "after")],
      movedBy: nameMover(plan),
      ...((which === "before" || isWayBack(plan)) && { isWayBack: true as const }),
      ...(proof !== undefined && { unreachable: proof.unreachable }),
      ...(takeOver !== undefined && { takeOver }),
      ...(onProgress !== undefined && { onProgress: (text) => onProgress({ kind: "waiting", text }) }),
    });
  } catch (error) {
    return { kind: "unproved", proxies: [], message: errorText(error) };
  }
}

interface AppliedWeights {
  readonly plan: MovePlan;
  readonly which: "before" | "after";
  /** Those of the plan that there still are; absent is all. */
  readonly changes?: readonly SplitChange[];
}

/** How long proxies may take to prove a plan. */
export function timeoutOf({ proof }: Pick<MovePlan, "proof">, applyTimeoutMs: number): number {
  return proof?.timeoutMs ?? applyTimeoutMs;
}

/** What the end of an apply is to the move that it belongs to. */
export function eventOf(report: ApplyReport): MoveEvent {
  switch (report.kind) {
    case "proved":
      return { kind: "passed" };
    case "rejected": {
      const reason = `${report.node} refused ${report.resource}: ${report.message}`;
      return { kind: report.isUntouched === true ? "untouched" : "failed", reason };
    }
    case "unproved":
      return { kind: "failed", reason: report.message };
  }
}
