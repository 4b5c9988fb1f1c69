import type { RouteTable, SplitId, WeightOverrides } from "../routes/route-table.ts";
import { combineMoves } from "./combine-moves.ts";
import { buildMovableRules, type MovableRule } from "./movable-rules.ts";
import type { MovePlan, SplitChange } from "./move.ts";
import { releasedServices, type ReleasePlan } from "./plan-release.ts";
import { type Refusal, refuseState, renderList, renderRule } from "./refusals.ts";
import { isSameShare } from "./split-weights.ts";

export interface ReturnInput {
  readonly plan: ReleasePlan;
  /** The step that the release came to, from 0. It may have moved its weights or not. */
  readonly step: number;
  readonly table: RouteTable;
  readonly current: WeightOverrides;
  readonly actor: string;
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
export function planReturn({ plan, step, table, current, actor }: ReturnInput): ReturnPlanning {
  const rules = buildMovableRules(table, { current, services: releasedServices(plan) });
  const touched = [...findTouched(plan, { step, rules }).values()].flatMap(({ move, change }) => {
    const rule = rules.get(change.split);
    return rule === undefined ? [] : [{ move, change, rule }];
  });
  const gone = touched.flatMap(({ change, rule }) => findGone(change, rule));
  if (gone.length > 0) {
    return refuseState("KIR2012", `${plan.release} cannot be taken back as it was: ${gone.join(" ")}`, {
      hint: "Put that version back into the manifest and retry, or abort the release and say where traffic should go.",
    });
  }
  const moves = [...Map.groupBy(touched, ({ move }) => move.virtualService).values()].flatMap((group) => {
    const changes = group.map(({ change, rule: { declared, current: before } }) => {
      return { ...change, declared, before, after: change.before };
    });
    return group.slice(0, 1).map(({ move }) => invert(move, { changes, release: plan.release, actor }));
  });
  const [first, ...others] = moves;
  return first === undefined ? { kind: "nothing" } : { kind: "plan", plan: combineMoves([first, ...others]) };
}

interface Touch {
  readonly move: MovePlan;
  /** The first of its split, with the weights from before the release. */
  readonly change: SplitChange;
}

/** By split. The last step may have failed before it moved anything; then its rules have no weights of its making. */
function findTouched(
  { steps }: ReleasePlan,
  { step, rules }: { readonly step: number; readonly rules: ReadonlyMap<SplitId, MovableRule> },
): ReadonlyMap<SplitId, Touch> {
  const touched = new Map<SplitId, Touch>();
  for (const [index, each] of steps.slice(0, step + 1).entries()) {
    for (const move of "moves" in each ? each.moves : []) {
      for (const change of move.changes) {
        const now = rules.get(change.split)?.current ?? {};
        const isOurs = index < step || isSameShare(now, change.after) || isSameShare(now, change.before);
        if (isOurs && !touched.has(change.split)) touched.set(change.split, { move, change });
      }
    }
  }
  return touched;
}

function findGone(change: SplitChange, { arms }: MovableRule): readonly string[] {
  const known = new Set(arms.map(({ destination }) => destination));
  const gone = Object.keys(change.before).filter((arm) => (change.before[arm] ?? 0) > 0 && !known.has(arm));
  return gone.length === 0 ? [] : [`${renderRule(change)} no longer has ${renderList(gone)}.`];
}

function invert(
  move: MovePlan,
  back: { readonly changes: readonly SplitChange[]; readonly release: string; readonly actor: string },
): MovePlan {
  const { from, to } = move;
  const { changes, release, actor } = back;
  const reason = `release ${release}, rolled back`;
  return { ...move, verb: "rollback", from: to, to: from, changes, stays: [], actor, reason };
}
