import type { RouteTable, SplitWeights, WeightOverrides } from "../../routes/route-table.ts";
import { KirikaeError } from "../../diagnostics/error.ts";
import { expectWeights, firstMoves } from "../plan/expected-weights.ts";
import { buildMovableRules } from "../move/movable-rules.ts";
import type { SplitChange } from "../move/move.ts";
import { releasedServices, type ReleasePlan } from "../plan/plan-release.ts";
import { findTouched } from "./plan-return.ts";
import { renderList, renderRule } from "../move/refusals.ts";
import { renderWeights } from "../move/render-weights.ts";
import { stepOf } from "../state/release-phase.ts";
import type { ReleaseState } from "../state/release-state.ts";
import { isSameShare } from "../move/split-weights.ts";

export interface ConflictInput {
  readonly plan: ReleasePlan;
  readonly state: ReleaseState;
  readonly table: RouteTable;
  readonly current: WeightOverrides;
}

/**
 * KIR2038 where a rollback, or its undo, would overwrite what somebody else has done since: a move by hand, another
 * release, or a saved manifest. A rule that is gone, or that is already where the rollback leads, is no conflict.
 */
export function findConflict(input: ConflictInput): KirikaeError | undefined {
  const { plan, state } = input;
  const conflicts = state.phase.kind === "rolledBack" ? conflictsOfRedo(input) : conflictsOfReturn(input);
  if (conflicts.length === 0) return undefined;
  return new KirikaeError(
    "KIR2038",
    `${renderList(conflicts)} since ${plan.release} left it, so that is not overwritten.`,
    {
      exitStatus: 1,
      hint: "Say where traffic should go with switch or shift, or roll back with --despite-changes if that is to be lost.",
      details: { conflicts },
    },
  );
}

/** Everything that the release may have left there, however far its last step or its way back has come. */
function conflictsOfReturn({ plan, state, table, current }: ConflictInput): readonly string[] {
  const { phase, hand, doubted, back } = state;
  const step = phase.kind === "done" ? plan.steps.length : stepOf(phase);
  const rules = buildMovableRules(table, { current, services: releasedServices(plan) });
  const before = expectWeights(plan, { step, hand });
  const after = expectWeights(plan, { step: step + 1, hand });
  return findTouched(plan, { step, hand, doubted, rules }).flatMap(({ change, move }) => {
    const { split } = change;
    const left = [before.get(split)?.weights, back?.left?.[split], back?.gives?.[split], back?.was?.[split]];
    left.push(change.before, doubted?.[split]);
    if (phase.kind === "failed" || phase.kind === "aborted") left.push(after.get(split)?.weights);
    return describe({ change, virtualService: move.virtualService, now: rules.get(split)?.current, left });
  });
}

/** After a way back everything is as it was before the release. */
function conflictsOfRedo({ plan, state, table, current }: ConflictInput): readonly string[] {
  const rules = buildMovableRules(table, { current, services: releasedServices(plan) });
  const was = state.back?.was ?? {};
  return [...firstMoves(plan).values()].flatMap(({ change, move }) => {
    const own = was[change.split];
    if (own === undefined) return [];
    const now = rules.get(change.split)?.current;
    return describe({ change, virtualService: move.virtualService, now, left: [change.before, own] });
  });
}

interface Comparison {
  readonly change: SplitChange;
  readonly virtualService: string;
  /** Undefined where the rule is gone. */
  readonly now: SplitWeights | undefined;
  /** What is no conflict; the first is what is told. */
  readonly left: readonly (SplitWeights | undefined)[];
}

function describe({ change, virtualService, now, left }: Comparison): readonly string[] {
  const known = left.filter((each) => each !== undefined);
  if (now === undefined || known.some((each) => isSameShare(each, now))) return [];
  const [told = {}] = known;
  return [`${renderRule(change)} of ${virtualService} went from ${renderWeights(told)} to ${renderWeights(now)}`];
}
