import { describeCheck } from "../../core/release/check/describe-check.ts";
import { describeBake, describeWanted } from "../../core/release/describe/describe-release.ts";
import type { MovePlan } from "../../core/release/move/move.ts";
import type { RuleReach } from "../../core/release/plan/describe-reach.ts";
import { renderList, renderRule } from "../../core/release/move/refusals.ts";
import type { PlannedStep, ReleasePlan } from "../../core/release/plan/plan-release.ts";
import { splitsOfAddition } from "../../core/routes/add-routes.ts";
import { inkVersion, type Ink } from "../ink.ts";
import { renderTable } from "../terminal.ts";
import { renderDuration } from "../../core/diagnostics/render-duration.ts";
import { renderChange, renderShareChanges } from "./move.ts";
import { describeEdits, describeUndo } from "../../core/release/subset/subset-edit.ts";
import { sharePercent } from "./plan-shares.ts";
import { renderAddition } from "./release-addition.ts";

interface PlanParts {
  readonly plan: ReleasePlan;
  /** Which requests the rules take. */
  readonly reach: readonly RuleReach[];
  readonly ink: Ink;
}

/**
 * The rules with the requests that they take; the steps in order, with what changes in each and what undoes it; then
 * what no step touches.
 */
export function renderReleasePlan(plan: ReleasePlan, reach: readonly RuleReach[], ink: Ink): string {
  const heading = `${ink.bold("Release")}  ${plan.release} to ${inkVersion(ink, plan.to)}`;
  const steps = plan.steps.map((step, index) => renderStep(step, index + 1, { plan, reach, ink }));
  return [
    heading,
    ...renderRules(plan, reach),
    ...steps,
    ...renderUntouched(plan, ink),
    ...renderLoss(plan),
    ...renderHaste(plan, ink),
  ].join("\n");
}

/** How many requests may be lost to moving weights, which is no check. */
function renderLoss({ spec: { maxFailed } }: ReleasePlan): readonly string[] {
  if (maxFailed === undefined) return [];
  const many = maxFailed === 0 ? "A request that fails" : `More than ${maxFailed} requests that fail`;
  return [`${many} while a step moves weights ${maxFailed === 0 ? "takes" : "take"} the release back.`];
}

/** Those that some step changes, each once, also where it leads elsewhere on another port. */
function renderRules({ steps }: ReleasePlan, reach: readonly RuleReach[]): readonly string[] {
  const changed = new Set(
    steps.flatMap((step) => {
      if ("moves" in step) return step.moves.flatMap(({ changes }) => changes.map(({ split }) => split));
      return "addition" in step ? splitsOfAddition(step.addition) : [];
    }),
  );
  const rows = reach.filter(({ split }) => changed.has(split));
  const lines = rows.map(({ virtualService, rule, requests }) => [virtualService, rule, requests]);
  const unique = new Map(lines.map((line) => [line.join("\n"), line]));
  return unique.size === 0 ? [] : [renderTable([...unique.values()], "  ")];
}

function renderStep(step: PlannedStep, number: number, parts: PlanParts): string {
  const { ink } = parts;
  const kind = "addition" in step && step.kind === "preview" ? `${step.kind} ${step.addition.name}` : step.kind;
  const site = "site" in step && step.site !== undefined ? ` on ${step.site}` : "";
  const title = `${String(number).padStart(3)}  ${ink.bold(kind)}${site}`;
  if ("moves" in step) {
    return [title, ...step.moves.map((move) => renderMove(move, ink)), `     ${renderMovedShare(step.moves)}`].join(
      "\n",
    );
  }
  if ("addition" in step) return [title, ...renderAddition(step, parts).map((line) => `     ${line}`)].join("\n");
  return `${title}  ${describeWait(step)}`;
}

/** What a step does that leads no request elsewhere by itself. */
function describeWait(
  step: Exclude<PlannedStep, { readonly moves: unknown } | { readonly addition: unknown }>,
): string {
  switch (step.kind) {
    case "hold": {
      const until = step.durationMs === undefined ? "until it is promoted" : `for ${renderDuration(step.durationMs)}`;
      return `${until}; no request changes its way`;
    }
    case "check":
      return `${describeCheck(step)}; a version that fails is ${step.isDryRun ? "told of" : "taken back"}`;
    case "bake":
      return `${describeBake(step)}; no request changes its way`;
    case "subsets":
      return `${describeEdits(step.edits)}; ${describeUndo(step.edits)}`;
    case "finish":
      return "takes away what the steps before have added to the routes: every request goes where the weights say";
    case "approve": {
      const question = step.question === undefined ? "" : `: ${step.question}`;
      return `waits for ${describeWanted(step)}${question}`;
    }
  }
}

/** How many requests of a rule go elsewhere than before; of rules that differ, the most. */
function renderMovedShare(moves: readonly MovePlan[]): string {
  const moved = moves.flatMap(({ changes }) =>
    changes
      .filter(({ role }) => role === "public")
      .map(({ before, after }) => {
        const gains = Object.keys(after).map(
          (destination) => sharePercent(after, [destination]) - sharePercent(before, [destination]),
        );
        return gains.reduce((sum, gain) => sum + Math.max(0, gain), 0);
      }),
  );
  const shares = moved.map((percent) => Math.round(percent * 10) / 10);
  const most = Math.max(0, ...shares);
  return `${shares.some((percent) => percent !== most) ? "up to " : ""}${most} of 100 public requests change their way; what is not listed here cannot`;
}

/** Whoever previews or shifts wants to look at it, and steps follow each other at once. */
function renderHaste({ steps }: ReleasePlan, ink: Ink): readonly string[] {
  const hasty = steps.flatMap((step, index) => {
    const next = steps[index + 1]?.kind;
    const isLookedAt = step.kind === "preview" || step.kind === "weight";
    return isLookedAt && (next === "weight" || next === "switch") ? [String(index + 1)] : [];
  });
  if (hasty.length === 0) return [];
  const where = `${hasty.length === 1 ? "step" : "steps"} ${renderList(hasty)}`;
  return [ink.yellow(`Nothing waits after ${where}: a hold, a check or an approve gives time to look.`)];
}

function renderMove(move: MovePlan, ink: Ink): string {
  const rows = move.changes.map((change) => {
    const undo = renderShareChanges(move, { ...change, before: change.after, after: change.before }, ink);
    return [change.role, renderRule(change), renderChange(move, change, ink), ink.dim(`undo: ${undo}`)];
  });
  // What a rule leads to on another port, or for other callers, changes in the same way, and is said once.
  const unique = new Map(rows.map((row) => [row.join("\n"), row]));
  return `     ${move.virtualService}\n${renderTable([...unique.values()], "       ")}`;
}

function renderUntouched({ steps }: ReleasePlan, ink: Ink): readonly string[] {
  const moves = steps.flatMap((step) => ("moves" in step ? step.moves : []));
  const changed = new Set(moves.flatMap((move) => move.changes.map(({ rule }) => `${move.virtualService} ${rule}`)));
  const rows = new Map(
    moves.flatMap((move) =>
      move.stays
        .filter(({ rule }) => !changed.has(`${move.virtualService} ${rule}`))
        .map((stay) => [
          `${move.virtualService} ${stay.rule}`,
          [move.virtualService, renderRule(stay), ink.dim(stay.reason)],
        ]),
    ),
  );
  return rows.size === 0 ? [] : [ink.bold("Untouched in every step"), renderTable([...rows.values()], "  ")];
}
