import type { Check } from "../../manifest/release.ts";
import type { PlannedStep } from "./plan-release.ts";

/** The programs that a release would run as judges, as they are written. */
export function findCommands(steps: readonly PlannedStep[]): readonly string[] {
  const judges = steps.flatMap((step) => checkIn(step)?.judges ?? []);
  return [...new Set(judges.flatMap(({ ask }) => (ask.kind === "command" ? ask.command.slice(0, 1) : [])))];
}

function checkIn(step: PlannedStep): Check | undefined {
  if (step.kind === "check") return step;
  return step.kind === "bake" ? step.check : undefined;
}
