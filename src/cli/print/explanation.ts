import type { ExplainedArm, Explanation } from "../../core/routes/explain.ts";
import type { SimulatedRequest, SimulationStep } from "../../core/routes/simulation.ts";
import type { Ink } from "../ink.ts";
import { renderTable } from "../terminal.ts";

/** The answer first, then where it is written, where the request goes, and what was tried on the way. */
export function renderExplanation(explanation: Explanation, request: SimulatedRequest, ink: Ink): string {
  const asked = `${request.method} ${request.scheme}://${request.authority}${request.target} at port ${request.port}`;
  const parts = [
    `${ink.dim(asked)}\n${renderOutcome(explanation, ink)}`,
    renderRule(explanation, ink),
    renderArms(explanation.arms),
    renderSteps(explanation.steps, ink),
  ];
  return parts.filter((part) => part !== "").join("\n");
}

function renderOutcome({ outcome, status, flag }: Explanation, ink: Ink): string {
  const code = flag === null ? String(status) : `${status} ${flag}`;
  switch (outcome) {
    case "route":
      return flag === null ? ink.green(ink.bold("routed")) : ink.red(ink.bold(`routed, and answered ${code}`));
    case "redirect":
      return ink.green(ink.bold(`redirected, ${code}`));
    case "direct":
      return ink.green(ink.bold(`answered by the gateway, ${code}`));
    case "miss":
      return ink.red(ink.bold(`missed: no route takes it, so the client gets ${code}`));
  }
}

function renderRule({ virtualService, rule, match, name, at }: Explanation, ink: Ink): string {
  if (virtualService === null) return "";
  const number = match === null ? `rule ${rule}` : `rule ${rule} match ${match}`;
  const named = name === null ? number : `${number} (${name})`;
  const place = at === null ? "" : `  ${ink.bold(`${at.file}:${at.line}`)}`;
  return `  by ${ink.bold(virtualService)} ${named}${place}`;
}

function renderArms(arms: readonly ExplainedArm[]): string {
  const rows = arms.map((arm) => [
    `${arm.weightPercent} %`,
    arm.subset === null ? `${arm.host}:${arm.port}` : `${arm.host}:${arm.port} subset ${arm.subset}`,
    arm.endpoints.length === 0 ? "no known endpoint" : arm.endpoints.join(", "),
  ]);
  return renderTable(rows, "  to ");
}

function renderSteps(steps: readonly SimulationStep[], ink: Ink): string {
  const rows = steps.map((step) => [
    step.taken ? ink.green("yes") : ink.dim("no"),
    `${words[step.tried]} ${step.name}`.trimEnd(),
    step.at === undefined ? "" : ink.dim(`${step.at.file}:${step.at.line}`),
    step.reason,
  ]);
  return `Tried in this order\n${renderTable(rows, "  ")}`;
}

const words = { listener: "listener", virtualHost: "host", route: "route" } as const;
