import type { Explanation, ExplainedArm } from "./explain.ts";

/** The explanation as lines for a terminal: the answer first, then the way to it. */
export function renderExplanation(explanation: Explanation): readonly string[] {
  const { virtualService, rule, match, name, at, arms, steps } = explanation;
  const lines = [headline(explanation)];
  if (virtualService !== null && rule !== null) {
    const place = at === null ? "" : `  ${at.file}:${at.line}`;
    const label = name === null ? "" : ` (${name})`;
    lines.push(
      `  by VirtualService ${virtualService}, rule ${rule}${match === null ? "" : `, match ${match}`}${label}${place}`,
    );
  }
  lines.push(...arms.map(renderArm), "", "How it came to that:");
  for (const step of steps) {
    const place = step.at === undefined ? "" : `  ${step.at.file}:${step.at.line}`;
    lines.push(`  ${step.taken ? "+" : "-"} ${step.name}: ${step.reason}${place}`);
  }
  return lines;
}

function headline({ outcome, status, flag, steps }: Explanation): string {
  const last = steps.at(-1)?.reason ?? "";
  switch (outcome) {
    case "route":
      return flag === null ? "The request is routed." : `The request fails: ${status} ${flag}.`;
    case "redirect":
      return `The request is redirected with ${status}.`;
    case "direct":
      return `The gateway answers ${status} itself.`;
    case "miss":
      return flag === null
        ? `The proxy refuses the request: ${status}.`
        : `No route takes the request: ${status} ${flag}. Last seen: ${last}.`;
  }
}

function renderArm({ cluster, weightPercent, endpoints }: ExplainedArm): string {
  const where = endpoints.length === 0 ? "no endpoint known" : endpoints.join(", ");
  return `  ${String(weightPercent).padStart(5)} %  ${cluster}  ${where}`;
}
