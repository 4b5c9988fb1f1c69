import type { ClusterRelease } from "../../api/types.ts";
import { inkVersion, type Ink } from "../ink.ts";
import { neutraliseLine } from "../neutralise.ts";
import { inkPhase, renderSteps } from "./release.ts";
import { renderInstant } from "./time-words.ts";

/** One Release of a cluster: where it is, and how it is told what to do. */
export function renderClusterRelease(release: ClusterRelease, ink: Ink): string {
  const { to, phase, message, weight, steps, step, stepName } = release;
  const heading = `${ink.bold("Release")}  ${release.release} to ${inkVersion(ink, to)}: ${inkClusterPhase(phase, ink)}, run by the controller of ${release.context}`;
  const here = step === null ? [] : [`step ${step}${stepName === null ? "" : `: ${stepName}`}`];
  const lines = [
    steps.length > 0 ? renderSteps(steps, ink) : here.map((line) => `  ${line}`).join("\n"),
    weight === null ? "" : `  live: ${neutraliseLine(weight)}`,
    message === phase ? "" : `  ${neutraliseLine(message)}`,
    renderOrders(release),
  ];
  return [heading, ...lines.filter((line) => line !== "")].join("\n");
}

/** The cells of a list of releases. */
export function cellsOf({ release, to, phase, step, startedAt, message }: ClusterRelease, ink: Ink): readonly string[] {
  return [
    release,
    inkVersion(ink, to),
    inkClusterPhase(phase, ink),
    step ?? "-",
    startedAt === null ? "-" : renderInstant(Date.parse(startedAt)),
    "the controller",
    message === phase ? "" : neutraliseLine(message),
  ];
}

/** One that has not begun, or was refused, is told by its object alone. */
function renderOrders({ context, release, phase, id }: ClusterRelease): string {
  const [namespace = "", name = ""] = release.split("/");
  if (id === null) return `  \`kubectl --context ${context} describe release ${name} -n ${namespace}\` says more.`;
  if (phase === "aborted") return "";
  const order = phase === "done" || phase === "rolledBack" ? `rollback ${name} --release` : `promote ${name}`;
  return `  Tell it what to do: \`kirikae --context ${context} ${order} -n ${namespace}\`, or the annotation kirikae.dev/order.`;
}

function inkClusterPhase(phase: string, ink: Ink): string {
  switch (phase) {
    case "done":
    case "failed":
    case "aborted":
    case "rolledBack":
    case "rollingBack":
    case "setting":
    case "redoing":
      return inkPhase(phase, ink);
    case "refused":
      return ink.red(phase);
    default:
      return phase;
  }
}
