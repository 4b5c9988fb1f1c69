import { describeCheck } from "../../core/release/describe-check.ts";
import { describeAddition, describeBake, describeWanted } from "../../core/release/describe-release.ts";
import { describeComparison } from "../../core/release/describe-comparison.ts";
import type { MovePlan } from "../../core/release/move.ts";
import { renderRule } from "../../core/release/refusals.ts";
import type { PlannedStep, ReleasePlan } from "../../core/release/plan-release.ts";
import { inkVersion, type Ink } from "../ink.ts";
import { renderTable } from "../terminal.ts";
import { renderDuration } from "../../core/diagnostics/render-duration.ts";
import { renderChange } from "./move.ts";

/** The steps in order, with what changes in each and what undoes it; then what no step touches. */
export function renderReleasePlan(plan: ReleasePlan, ink: Ink): string {
  const heading = `${ink.bold("Release")}  ${plan.release} to ${inkVersion(ink, plan.to)}`;
  const steps = plan.steps.map((step, index) => renderStep(step, index + 1, ink));
  return [heading, ...steps, ...renderUntouched(plan, ink)].join("\n");
}

function renderStep(step: PlannedStep, number: number, ink: Ink): string {
  const title = `${String(number).padStart(3)}  ${ink.bold(step.kind)}`;
  switch (step.kind) {
    case "hold": {
      const until = step.durationMs === undefined ? "until it is promoted" : `for ${renderDuration(step.durationMs)}`;
      return `${title}  ${until}; no request changes its way`;
    }
    case "check":
      return `${title}  ${describeCheck(step)}; a version that fails is ${step.isDryRun ? "told of" : "taken back"}`;
    case "bake":
      return `${title}  ${describeBake(step)}; no request changes its way`;
    case "mirror": {
      const { addition, compare } = step;
      const compared = compare === undefined ? "" : ` and ${describeComparison(compare, addition.methods)}`;
      return `${title}  ${describeAddition(addition)}${addition.percent === 0 ? "" : compared}; \`finish\` and the way back end it`;
    }
    case "preview":
    case "affinity":
      return `${title}  ${describeAddition(step.addition)}; \`finish\` and the way back end it`;
    case "finish":
      return `${title}  takes away what the steps before have added to the routes`;
    case "approve": {
      const question = step.question === undefined ? "" : `: ${step.question}`;
      return `${title}  waits for ${describeWanted(step)}${question}`;
    }
    case "weight":
    case "switch":
      return [title, ...step.moves.map((move) => renderMove(move, ink))].join("\n");
  }
}

function renderMove(move: MovePlan, ink: Ink): string {
  const rows = move.changes.map((change) => {
    const undo = renderChange(move, { ...change, before: change.after, after: change.before }, ink);
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
