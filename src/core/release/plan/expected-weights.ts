import type { SplitId, SplitWeights } from "../../routes/route-table.ts";
import type { MovePlan, SplitChange } from "../move/move.ts";
import type { ReleasePlan } from "./plan-release.ts";
import type { WeightsBySplit } from "../move/weights-by-split.ts";

/** Weights that are live by somebody's decision and not by a step. */
export interface HandWeights {
  /** The step that the release was in, from 0: later ones give their own again. */
  readonly step: number;
  readonly weights: WeightsBySplit;
}

export interface ExpectedWeights {
  readonly virtualService: string;
  /** The newest of its split, for its name. */
  readonly change: SplitChange;
  readonly weights: SplitWeights;
}

type Steps = Pick<ReleasePlan, "steps">;

/** What is to be live when so many steps have moved their weights, by split: what the last of them, or a hand, has left. */
export function expectWeights(
  plan: Steps,
  { step, hand }: { readonly step: number; readonly hand?: HandWeights | undefined },
): ReadonlyMap<SplitId, ExpectedWeights> {
  const expected = new Map<SplitId, ExpectedWeights>();
  for (const [index, each] of plan.steps.slice(0, step).entries()) {
    if (hand?.step === index) layHand(expected, plan, hand);
    for (const { virtualService, changes } of "moves" in each ? each.moves : []) {
      for (const change of changes) expected.set(change.split, { virtualService, change, weights: change.after });
    }
  }
  if (hand !== undefined && hand.step >= Math.min(step, plan.steps.length)) layHand(expected, plan, hand);
  return expected;
}

/** What a hand has left of earlier hands' work, when weights are set anew in a later step. */
export function mergeHands(plan: Steps, before: HandWeights | undefined, next: HandWeights): HandWeights {
  if (before === undefined) return next;
  const moved = new Set(
    plan.steps
      .slice(before.step, next.step)
      .flatMap((each) => ("moves" in each ? each.moves : []))
      .flatMap(({ changes }) => changes.map(({ split }) => split)),
  );
  const kept = Object.entries(before.weights).filter(([split]) => !moved.has(split));
  return { step: next.step, weights: { ...Object.fromEntries(kept), ...next.weights } };
}

/** The first move of each split in a plan: its `before` is what was there before the release. */
export function firstMoves({ steps }: Steps): ReadonlyMap<SplitId, FirstMove> {
  const first = new Map<SplitId, FirstMove>();
  for (const [index, each] of steps.entries()) {
    for (const move of "moves" in each ? each.moves : []) {
      for (const change of move.changes) if (!first.has(change.split)) first.set(change.split, { index, move, change });
    }
  }
  return first;
}

export interface FirstMove {
  /** The step, from 0. */
  readonly index: number;
  readonly move: MovePlan;
  readonly change: SplitChange;
}

function layHand(expected: Map<SplitId, ExpectedWeights>, plan: Steps, { weights }: HandWeights): void {
  const known = firstMoves(plan);
  for (const [split, own] of Object.entries(weights)) {
    const first = known.get(split);
    if (first === undefined) continue;
    const { change, move } = first;
    expected.set(split, { virtualService: change.virtualService ?? move.virtualService, change, weights: own });
  }
}
