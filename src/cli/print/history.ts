import type { HistoryEntry, ReleaseEntry, TimelineEntry } from "../../api/types.ts";
import { inkVersion, type Ink } from "../ink.ts";
import { renderTable } from "../terminal.ts";

/** One entry a block, oldest first, so that the newest is where the eye is: what, when and who; before and after; and the evidence. */
export function renderHistory(entries: readonly TimelineEntry[], ink: Ink): string {
  if (entries.length === 0) return "Nothing was moved yet.";
  return entries
    .map((entry) => ("release" in entry ? renderReleaseEntry(entry, ink) : renderEntry(entry, ink)))
    .join("\n");
}

function renderReleaseEntry({ at, release, actor, reason, what, event }: ReleaseEntry, ink: Ink): string {
  // What somebody did says by whom and why; only the begin has both beside it.
  const who = event === "begin" ? [`by ${actor ?? ""}${reason === null ? "" : `: ${reason}`}`] : [];
  return [ink.dim(at), ink.bold(release), "release", what, ...who].join("  ");
}

function renderEntry(entry: HistoryEntry, ink: Ink): string {
  const head = [
    ink.dim(entry.startedAt),
    ink.bold(entry.virtualService),
    entry.verb,
    inkOutcome(entry.outcome, ink),
    `by ${entry.actor}`,
  ].join("  ");
  const rows = [
    ["weights", renderChange(entry, ink)],
    ...(entry.reason === undefined ? [] : [["reason", entry.reason]]),
    ...(entry.message === undefined ? [] : [["message", entry.message]]),
    ...(entry.ledger === null ? [] : [["requests", renderCounts(entry.ledger)]]),
  ];
  return `${head}\n${renderTable(rows, "  ")}`;
}

function renderChange({ before, after, outcome }: HistoryEntry, ink: Ink): string {
  if (outcome === "refused") return `${renderWeights(before, ink)}, unchanged`;
  return `${renderWeights(before, ink)} to ${renderWeights(after, ink)}`;
}

function renderWeights(weights: HistoryEntry["before"], ink: Ink): string {
  const parts = Object.entries(weights)
    .filter(([, percent]) => percent > 0)
    .map(([version, percent]) => `${inkVersion(ink, version)} ${percent} %`);
  return parts.length === 0 ? "nothing" : parts.join(", ");
}

function renderCounts(ledger: NonNullable<HistoryEntry["ledger"]>): string {
  return `${ledger.requests} = ${ledger.ok} ok + ${ledger.failed} failed, old version after done: ${ledger.oldAfterDone}`;
}

function inkOutcome(outcome: HistoryEntry["outcome"], ink: Ink): string {
  if (outcome === "done") return ink.green(outcome);
  return outcome === "refused" || outcome === "running" ? ink.yellow(outcome) : ink.red(outcome);
}
