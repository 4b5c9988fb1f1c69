import { type RoutedService, type ServiceRule } from "./movable-rules.ts";
import { movedServices, type MovePlan, type MoveRequest, type SplitChange } from "./move.ts";
import type { PastMove } from "./past-move.ts";
import { type Refusal, refuseState, renderList, renderRule } from "./refusals.ts";
import { renderWeights } from "./render-weights.ts";
import { isSameShare } from "./split-weights.ts";

export interface RollbackInput {
  readonly service: RoutedService;
  readonly rules: readonly ServiceRule[];
  readonly request: MoveRequest;
  /** Oldest first. */
  readonly history: readonly PastMove[];
}

/**
 * Plans the inverse of the last move of a VirtualService that took effect. A rollback is a move like any other, so
 * rolling back twice goes forward again. Weights that are no longer what that move left are a conflict: undoing them
 * would overwrite somebody else's change.
 */
export function planRollback(input: RollbackInput): { readonly kind: "plan"; readonly plan: MovePlan } | Refusal {
  const { service, request } = input;
  const last = input.history.findLast(({ plan, outcome }) => {
    const isLive = outcome === "done" || outcome === "unproved";
    return isLive && movedServices(plan).includes(service.virtualService) && movesTraffic(plan);
  });
  if (last === undefined) {
    return refuseState("KIR2011", `Nothing of ${service.virtualService} can be rolled back.`, {
      hint: "No move of it has taken effect; `kirikae history` lists what was tried.",
    });
  }

  const together = movedServices(last.plan);
  if (together.length > 1) {
    return refuseState(
      "KIR2033",
      `The last move of ${service.virtualService} was one of ${renderList(together)} together.`,
      {
        hint: "Roll back the release that moved them, or say where traffic should go with switch or shift.",
        details: { move: last.id, together },
      },
    );
  }
  const conflicts = last.plan.changes.flatMap((change) => conflictOf(change, input.rules));
  if (conflicts.length > 0) {
    return refuseState("KIR2012", `${service.virtualService} was changed after its last move, so that is not undone.`, {
      hint: `${conflicts.join(" ")} Say where traffic should go with switch or shift.`,
      details: { move: last.id, conflicts },
    });
  }
  const touched = new Set(last.plan.changes.map(({ split }) => split));
  const plan: MovePlan = {
    verb: "rollback",
    virtualService: service.virtualService,
    from: last.plan.to,
    to: last.plan.from,
    changes: last.plan.changes.map((change) => invertChange(change, input.rules)),
    stays: input.rules
      .filter(({ movable }) => movable === undefined || !touched.has(movable.split))
      .map(({ rule, ruleName }) => ({ rule, ruleName, reason: "The move that is undone did not touch it." })),
    versions: last.plan.versions,
    actor: request.actor,
    reason: request.reason,
  };
  return { kind: "plan", plan };
}

/** False for a move that found everything in place: there is nothing in it to undo. */
function movesTraffic(plan: MovePlan): boolean {
  return plan.changes.some(({ before, after }) => !isSameShare(before, after));
}

function conflictOf(change: SplitChange, rules: readonly ServiceRule[]): readonly string[] {
  const rule = rules.find(({ movable }) => movable?.split === change.split);
  const movable = rule?.movable;
  if (movable === undefined) return [`${renderRule(change)} is no longer there.`];
  if (!isSameShare(movable.current, change.after)) {
    return [
      `${renderRule(movable)} has ${renderWeights(movable.current)}, the move left ${renderWeights(change.after)}.`,
    ];
  }
  const known = new Set(movable.arms.map(({ destination }) => destination));
  const gone = Object.keys(change.before).filter((arm) => (change.before[arm] ?? 0) > 0 && !known.has(arm));
  return gone.length > 0 ? [`${renderRule(movable)} no longer has ${renderList(gone)}.`] : [];
}

/** Numbered and declared as the manifests are now; the weights are the recorded ones. */
function invertChange(change: SplitChange, rules: readonly ServiceRule[]): SplitChange {
  const movable = rules.find((rule) => rule.movable?.split === change.split)?.movable;
  return {
    ...change,
    rule: movable?.rule ?? change.rule,
    declared: movable?.declared ?? change.declared,
    before: change.after,
    after: change.before,
  };
}
