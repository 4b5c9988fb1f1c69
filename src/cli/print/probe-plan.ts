import type { ProbePlan } from "../../core/release/plan/plan-probes.ts";
import type { Ink } from "../ink.ts";

const mostLines = 20;

/** What is asked while weights move, and what of the rules is not. */
export function renderProbePlan({ probes, leftOut }: ProbePlan, perSecond: number, ink: Ink): string {
  const lines = probes.map(({ method, host, path, usesTls, headers }) => {
    const marks = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
    return [`${method} ${usesTls ? "https" : "http"}://${host}${path}`, ...marks].join("  ");
  });
  return [
    `${ink.bold("Probes")}  ${perSecond} a second while weights move forward, in turn`,
    ...shorten(lines.length === 0 ? ["nothing, because no rule of a gateway moves"] : lines),
    ...(leftOut.length === 0 ? [] : [ink.bold("Not asked"), ...shorten(leftOut)]),
  ].join("\n");
}

function shorten(lines: readonly string[]): readonly string[] {
  const shown = lines.slice(0, mostLines);
  const more = lines.length - shown.length;
  return [...shown, ...(more === 0 ? [] : [`and ${more} more`])].map((line) => `  ${line}`);
}
