import type { ReleaseStatus, ReleaseSummary } from "../../api/types.ts";
import { tellEvents } from "../../core/release/describe/tell-events.ts";
import { inkVersion, type Ink } from "../ink.ts";
import { renderTable } from "../terminal.ts";
import { renderInstant } from "./time-words.ts";

/** One release with its steps. */
export function renderRelease(status: ReleaseSummary, ink: Ink): string {
  const { release, to, phase, message, steps } = status;
  const heading = `${ink.bold("Release")}  ${release} to ${inkVersion(ink, to)}: ${inkPhase(phase, ink)}`;
  const note = message === phase ? "" : `\n  ${message}`;
  return `${heading}\n${renderSteps(steps, ink)}${note}`;
}

/** A line for each step. */
export function renderSteps(steps: ReleaseSummary["steps"], ink: Ink): string {
  const rows = steps.map(({ number, kind, state, summary }) => [
    markOf(state, ink),
    String(number),
    state === "now" ? ink.bold(kind) : kind,
    state === "next" ? ink.dim(summary) : summary,
  ]);
  return renderTable(rows, "  ");
}

/** One release with its steps, and all that happened to it. */
export function renderReleaseStory(status: ReleaseStatus, ink: Ink): string {
  const { actor, reason, startedAt, plan, events } = status;
  const begin = [startedAt, `started by ${actor}${reason === null ? "" : `: ${reason}`}`];
  const later = tellEvents(plan, events)
    .filter(({ event }) => event.kind !== "start")
    .map(({ event, what }) => [new Date(event.atMs).toISOString(), what]);
  const rows = [begin, ...later].map(([at = "", what = ""]) => [ink.dim(at), what]);
  return `${renderRelease(status, ink)}\n${renderTable(rows, "  ")}`;
}

/** A line for each release, in the order given, which is newest first; then the rows of others. */
export function renderReleases(
  releases: readonly ReleaseSummary[],
  ink: Ink,
  others: readonly (readonly string[])[] = [],
): string {
  if (releases.length === 0 && others.length === 0) {
    return "No release to show. `kirikae start FILE` starts one.";
  }
  const titles = ["RELEASE", "TO", "PHASE", "STEP", "STARTED", "BY", "NOW"].map((title) => ink.dim(title));
  const rows = releases.map(({ release, to, phase, step, steps, message, startedAt, actor, untilMs }) => [
    release,
    inkVersion(ink, to),
    inkPhase(phase, ink),
    step === null ? "-" : `${step}/${steps.length}`,
    renderInstant(Date.parse(startedAt)),
    actor,
    message === phase ? "" : renderMessage(message, untilMs),
  ]);
  return renderTable([titles, ...rows, ...others]);
}

function renderMessage(message: string, untilMs: number | null): string {
  return untilMs === null ? message : `${message} (until ${renderInstant(untilMs)})`;
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

export function inkPhase(phase: ReleaseStatus["phase"], ink: Ink): string {
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
    case "frozen":
    case "paused":
      return phase;
    case "setting":
      return "setting weights";
    case "redoing":
      return "bringing back";
  }
}
