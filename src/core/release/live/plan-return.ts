import type { RouteTable, SplitId, SplitWeights, WeightOverrides } from "../../routes/route-table.ts";
import { combineMoves } from "../move/combine-moves.ts";
import { type FirstMove, firstMoves, type HandWeights } from "../plan/expected-weights.ts";
import { buildMovableRules, type MovableRule } from "../move/movable-rules.ts";
import type { MovePlan, SplitChange } from "../move/move.ts";
import { releasedServices, type ReleasePlan } from "../plan/plan-release.ts";
import { type Refusal, refuseState, renderList, renderRule } from "../move/refusals.ts";
import { isSameShare } from "../move/split-weights.ts";
import type { WeightsBySplit } from "../move/weights-by-split.ts";

interface LiveRoutes {
  readonly plan: ReleasePlan;
  readonly table: RouteTable;
  readonly current: WeightOverrides;
  readonly actor: string;
}

export interface ReturnInput extends LiveRoutes {
  /** The step that the release came to, from 0. It may have moved its weights or not. */
  readonly step: number;
  /** What people have set by hand, which goes back too. */
  readonly hand?: HandWeights | undefined;
  /** What they have tried to set. */
  readonly doubted?: WeightsBySplit | undefined;
}

export type ReturnPlanning =
  | { readonly kind: "plan"; readonly plan: MovePlan }
  | { readonly kind: "nothing" }
  | Refusal;

/**
 * The one move that takes everything a release has moved back to where it was before its first step. A rule that no
 * step has come to yet is not touched, because what it has now is somebody else's; one that is gone from the manifests
 * has no traffic to put back. Refused with KIR2012 where a version that had traffic is no longer behind its rule.
 */
export function planReturn({ plan, step, hand, doubted, table, current, actor }: ReturnInput): ReturnPlanning {
  const rules = buildMovableRules(table, { current, services: releasedServices(plan) });
  const touched = findTouched(plan, { step, hand, doubted, rules });
  const restored = [...touched].map((first) => ({ ...first, after: first.change.before }));
  return planRestoring(restored, {
    table,
    rules,
    refuse: (gone) =>
      refuseState("KIR2012", `${plan.release} cannot be taken back as it was: ${gone.join(" ")}`, {
        hint: "Put that version back into the manifest and retry, or abort the release and say where traffic should go.",
      }),
    turn: (move) => ({
      ...move,
      verb: "rollback",
      from: move.to,
      to: move.from,
      actor,
      reason: `release ${plan.release}, rolled back`,
      asks: "any",
    }),
  });
}

export interface RedoInput extends LiveRoutes {
  /** What was live before the way back. */
  readonly was: WeightsBySplit;
}

/** The one move that undoes a way back: every rule that it moved gets exactly what it had before. */
export function planRedo({ plan, was, table, current, actor }: RedoInput): ReturnPlanning {
  const rules = buildMovableRules(table, { current, services: releasedServices(plan) });
  const restored = [...firstMoves(plan).values()].flatMap((first) => {
    const after = was[first.change.split];
    return after === undefined ? [] : [{ ...first, after }];
  });
  return planRestoring(restored, {
    table,
    rules,
    refuse: (gone) =>
      refuseState("KIR2012", `${plan.release} cannot be brought back to where it was: ${gone.join(" ")}`, {
        hint: "Put that version back into the manifest, or start a release anew from what is live.",
      }),
    turn: (move) => ({ ...move, verb: "rollback", actor, reason: `release ${plan.release}, brought back` }),
  });
}

interface RestoredRule extends FirstMove {
  readonly after: SplitWeights;
}

interface Restoring {
  readonly table: Pick<RouteTable, "destinations">;
  readonly rules: ReadonlyMap<SplitId, MovableRule>;
  readonly refuse: (gone: readonly string[]) => Refusal;
  /** Makes a move of the release one of this restoring. */
  readonly turn: (move: MovePlan) => MovePlan;
}

/** One plan that gives each rule that is still there the weights that are given. */
export function planRestoring(
  wanted: readonly RestoredRule[],
  { table, rules, refuse, turn }: Restoring,
): ReturnPlanning {
  const touched = wanted.flatMap(({ move, change, after }) => {
    const rule = rules.get(change.split);
    return rule === undefined ? [] : [{ move, rule, change: { ...change, after } }];
  });
  const gone = touched.flatMap(({ change, rule }) => findGone(change, { rule, table }));
  if (gone.length > 0) return refuse(gone);
  const moves = [...Map.groupBy(touched, ({ move }) => move.virtualService).values()].flatMap((group) => {
    const changes = group.map(({ change, rule: { declared, current: before } }) => ({ ...change, declared, before }));
    return group.slice(0, 1).map(({ move }) => ({ ...turn(move), changes, stays: [] }));
  });
  const [first, ...others] = moves;
  return first === undefined ? { kind: "nothing" } : { kind: "plan", plan: combineMoves([first, ...others]) };
}

/** By split. The last step may have failed before it moved anything; then its rules have no weights of its making. */
export function findTouched(
  plan: ReleasePlan,
  {
    step,
    hand,
    doubted,
    rules,
  }: Pick<ReturnInput, "step" | "hand" | "doubted"> & {
    readonly rules: ReadonlyMap<SplitId, MovableRule>;
  },
): readonly FirstMove[] {
  return [...firstMoves(plan).values()].filter(({ index, change }) => {
    if (hand?.weights[change.split] !== undefined || doubted?.[change.split] !== undefined) return true;
    if (index < step) return true;
    const now = rules.get(change.split)?.current ?? {};
    return index === step && (isSameShare(now, change.after) || isSameShare(now, change.before));
  });
}

/** Versions that are no longer behind the rule, or that are but lead nowhere: requests would get 503 there. */
function findGone(
  change: SplitChange,
  { rule, table }: { readonly rule: MovableRule; readonly table: Restoring["table"] },
): readonly string[] {
  const arms = rule.arms.filter(({ destination }) => table.destinations.has(destination));
  const known = new Set(arms.map(({ destination }) => destination));
  const gone = Object.keys(change.after).filter((arm) => (change.after[arm] ?? 0) > 0 && !known.has(arm));
  return gone.length === 0 ? [] : [`${renderRule(change)} no longer has ${renderList(gone)}.`];
}
