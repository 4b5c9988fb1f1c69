import { describeRelease } from "./describe-release.ts";
import type { ReleaseAdvance } from "../state/enter-step.ts";
import type { ReleasePlan } from "../plan/plan-release.ts";
import { stepOf } from "../state/release-phase.ts";
import type { ReleaseCommand, ReleaseState } from "../state/release-state.ts";
import { summarizeShares } from "../move/summarize-shares.ts";

/** What a release can be told now, and what would follow. */
export interface ReleaseChoice {
  readonly command: ReleaseCommand;
  /** One or two sentences. */
  readonly consequence: string;
}

interface ForeseenRelease {
  readonly plan: ReleasePlan;
  readonly state: ReleaseState;
}

/** Those that need nothing but a decision; weights by hand need numbers. */
const commands: readonly ReleaseCommand[] = [
  { kind: "approve" },
  { kind: "reject" },
  { kind: "promote", full: false },
  { kind: "promote", full: true },
  { kind: "pause" },
  { kind: "resume" },
  { kind: "retry" },
  { kind: "rollback" },
  { kind: "abort" },
];

/** Tries each command out on the table of states itself, so that nothing is offered that would be refused. */
export function foreseeCommands(
  release: ForeseenRelease,
  tryOut: (command: ReleaseCommand) => ReleaseAdvance,
): readonly ReleaseChoice[] {
  return commands.flatMap((command) => {
    const advance = tryOut(command);
    if (advance.kind === "notNow") return [];
    return [{ command, consequence: describeConsequence(release, { command, after: advance.state }) }];
  });
}

interface Consequence {
  readonly command: ReleaseCommand;
  readonly after: ReleaseState;
}

function describeConsequence({ plan, state }: ForeseenRelease, { command, after }: Consequence): string {
  const here = `step ${Math.min(stepOf(state.phase) + 1, plan.steps.length)} of ${plan.steps.length}`;
  const next = describeNext(plan, after);
  switch (command.kind) {
    case "promote":
      return command.full
        ? `Passes every hold and check that is left; approvals stay. ${next}`
        : `Ends what ${here} waits for. ${next}`;
    case "pause":
      return state.phase.kind === "moving"
        ? "Stops as soon as the weights that are under way have arrived. Nothing goes on until somebody resumes it."
        : `Stops at ${here}. Weights stay as they are, and nothing goes on until somebody resumes it.`;
    case "resume":
      return next;
    case "approve":
      return after.phase.kind === "awaiting"
        ? `Counts your yes: ${describeRelease(plan, after).message}.`
        : `Counts your yes, the last that was missing. ${next}`;
    case "reject":
      return `Counts your no: the release stops at ${here}. Weights stay as they are until somebody retries it or takes it back.`;
    case "retry":
      return after.phase.kind === "rollingBack" ? `Tries the way back again: ${describeBefore(plan)}` : next;
    case "rollback":
      return after.phase.kind === "redoing"
        ? "Undoes the way back: all weights go to where they were when it began."
        : `Takes everything back to before the release: ${describeBefore(plan)}`;
    case "abort":
      return `Ends the release at ${here}. Weights stay as they are, and so does what it has added to the routes.`;
    case "set":
      return "Gives these weights by hand, and pauses.";
  }
}

/** Where it goes on, as one sentence. */
function describeNext(plan: ReleasePlan, after: ReleaseState): string {
  const { phase, step, steps, message } = describeRelease(plan, after);
  const entered = step === null ? undefined : steps[step - 1];
  if (phase === "done") return "The release is done with that.";
  if (entered === undefined) return `It is then: ${message}.`;
  const what = `step ${entered.number} of ${steps.length}, ${entered.kind}: ${entered.summary}.`;
  return phase === "frozen" ? `A freeze holds it before ${what}` : `Goes on with ${what}`;
}

/** The shares of every VirtualService before the first step, as one sentence. */
function describeBefore({ steps }: ReleasePlan): string {
  const moves = steps.flatMap((step) => ("moves" in step ? step.moves : []));
  const first = new Map(moves.toReversed().map((move) => [move.virtualService, move]));
  const shares = [...first.values()].map(({ virtualService, changes, versions }) => {
    const before = Object.entries(summarizeShares(changes, { versions, which: "before" }));
    return `${virtualService} to ${before.map(([version, percent]) => `${version} ${percent} %`).join(", ")}`;
  });
  return `${shares.length === 0 ? "no weights were moved" : shares.join("; ")}.`;
}
