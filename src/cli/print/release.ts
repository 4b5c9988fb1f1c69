import type { ReleaseStatus } from "../../api/types.ts";
import { inkVersion, type Ink } from "../ink.ts";
import { renderTable } from "../terminal.ts";

/** One release with its steps. */
export function renderRelease(status: ReleaseStatus, ink: Ink): string {
  const { release, to, phase, message, steps } = status;
  const heading = `${ink.bold("Release")}  ${release} to ${inkVersion(ink, to)}: ${inkPhase(phase, ink)}`;
  const rows = steps.map(({ number, kind, state, summary }) => [
    markOf(state, ink),
    String(number),
    state === "now" ? ink.bold(kind) : kind,
    state === "next" ? ink.dim(summary) : summary,
  ]);
  const note = message === phase ? "" : `\n  ${message}`;
  return `${heading}\n${renderTable(rows, "  ")}${note}`;
}

/** A line for each release, newest first. */
export function renderReleases(releases: readonly ReleaseStatus[], ink: Ink): string {
  if (releases.length === 0) return "No release was started. `kirikae start FILE` starts one.";
  const rows = releases
    .toReversed()
    .map(({ release, to, phase, step, steps, message, startedAt }) => [
      release,
      inkVersion(ink, to),
      inkPhase(phase, ink),
      step === null ? "" : `step ${step} of ${steps.length}`,
      message === phase ? "" : message,
      ink.dim(startedAt),
    ]);
  return renderTable(rows);
}

function markOf(state: ReleaseStatus["steps"][number]["state"], ink: Ink): string {
  switch (state) {
    case "done":
      return ink.green("done");
    case "now":
      return ink.yellow("now");
    case "next":
      return "";
    case "undone":
      return ink.dim("undone");
  }
}

function inkPhase(phase: ReleaseStatus["phase"], ink: Ink): string {
  switch (phase) {
    case "done":
      return ink.green(phase);
    case "failed":
    case "aborted":
      return ink.red(phase);
    case "rolledBack":
      return "rolled back";
    case "rollingBack":
      return "rolling back";
    case "planned":
    case "moving":
    case "holding":
    case "checking":
    case "awaiting":
    case "paused":
      return phase;
  }
}
