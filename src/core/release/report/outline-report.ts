import type { Block, Fact, Outline } from "./outline.ts";
import { outlineMirror } from "./outline-mirror.ts";
import { outlineTraffic } from "./outline-traffic.ts";
import type { DetourReport, ReleaseReport, StageReport, StepReport, TakenBack } from "./release-report.ts";
import {
  describeMove,
  describeVerdict,
  renderAnswers,
  renderByVersion,
  renderCount,
  renderPhase,
  renderShare,
  renderShareChange,
  renderTime,
  renderTook,
} from "./report-words.ts";

/** All that a report says, once for every form that it is printed in. */
export function outlineReport(report: ReleaseReport): Outline {
  const { release, to, phase, steps, detours, story } = report;
  return {
    title: `Release ${release} to ${to}: ${renderPhase(phase)}`,
    blocks: [
      { kind: "paragraph", text: endSentence(capitalize(report.message)) },
      { kind: "facts", facts: listFacts(report) },
      ...noteOnCounts(report),
      { kind: "heading", level: 2, text: "Traffic" },
      ...outlineTraffic(report),
      { kind: "heading", level: 2, text: "Steps" },
      tabulateSteps(steps),
      ...steps.flatMap(outlineStep),
      ...detours.flatMap(outlineDetour),
      ...report.mirrors.flatMap(outlineMirror),
      { kind: "heading", level: 2, text: "What happened" },
      {
        kind: "table",
        head: [{ title: "When" }, { title: "What" }],
        rows: story.map(({ at, what }) => [renderTime(at), what]),
      },
    ],
  };
}

function listFacts(report: ReleaseReport): readonly Fact[] {
  const { from, to, services, startedAt, endedAt, madeAt, actor, reason, counted, takenBack } = report;
  const { tookMs, newVersion, points } = report;
  const asked = reason === null ? "" : `: ${reason}`;
  const isUncounted = points.length === 0 && !counted.isComplete;
  const met = `${renderCount(newVersion.requests)} requests, ${renderCount(newVersion.failed)} of them failed (${renderShare(newVersion.failed, newVersion.requests)})`;
  return [
    ["Moves", from === null ? `to ${to}` : `${from} to ${to}`],
    ["Services", services.join(", ")],
    ["Started", `${renderTime(startedAt)} by ${actor}${asked}`],
    endedAt === null
      ? ["Runs", `for ${renderTook(tookMs)} by ${renderTime(madeAt)}`]
      : ["Ended", `${renderTime(endedAt)}, after ${renderTook(tookMs)}`],
    ["Requests", isUncounted ? "not counted" : `${renderAnswers(counted)}${parenthesize(renderByVersion(counted))}`],
    ["Met the new version", isUncounted ? "not counted" : met],
    ...(takenBack === null ? [] : [["Taken back", describeReturn(takenBack, isUncounted)] as const]),
  ];
}

function describeReturn({ decisionToBackMs, backAt, firstError }: TakenBack, isUncounted: boolean): string {
  const decided = `all traffic was back ${renderTook(decisionToBackMs)} after the decision, at ${renderTime(backAt)}`;
  if (isUncounted) return decided;
  if (firstError === null) return `${decided}; no error of the new version was seen before`;
  return `${decided}; the first error of the new version came at most ${renderTook(firstError.toBackMs)} before that`;
}

/** What a reader has to know to trust the figures. */
function noteOnCounts({ counted, steps, detours }: ReleaseReport): readonly Block[] {
  const text =
    "Requests are answers that the proxies count for each version, whoever asked; failed are those of 500 and more. " +
    "Counters are looked at once a second, so an answer may show in the step before or after its own.";
  if (counted.isComplete) return [{ kind: "paragraph", text }];
  const stages = [
    ...steps.filter((each) => !each.counted.isComplete).map(({ number }) => `step ${number}`),
    ...detours.filter((each) => !each.counted.isComplete).map(titleOf),
  ];
  const where = stages.length === 0 ? "" : ` (${stages.join(", ")})`;
  const gap = `Answers are MISSING from these figures${where}: a proxy started anew, or could not be asked.`;
  return [
    { kind: "paragraph", text },
    { kind: "paragraph", text: gap },
  ];
}

function tabulateSteps(steps: readonly StepReport[]): Block {
  return {
    kind: "table",
    head: [
      { title: "Step", isNumber: true },
      { title: "Kind" },
      { title: "State" },
      { title: "What" },
      { title: "Took", isNumber: true },
      { title: "Requests" },
      { title: "Undone by" },
    ],
    rows: steps.map(({ number, kind, state, summary, startedAt, tookMs, counted, inverse }) => [
      String(number),
      kind,
      state,
      summary,
      startedAt === null ? "" : renderTook(tookMs),
      startedAt === null ? "" : renderAnswers(counted),
      inverse,
    ]),
  };
}

/** Gates without anything to tell are in the table alone. */
function outlineStep(step: StepReport): readonly Block[] {
  if (step.startedAt === null) return [];
  const decisions = step.approvals.map(({ at, actor, answer, reason }) => {
    const word = answer === "approve" ? "approved" : "rejected";
    return `${renderTime(at)}, ${word} by ${actor}${reason === null ? "" : `: ${reason}`}`;
  });
  const items = [...step.changes.map(renderShareChange), ...describeStage(step), ...decisions];
  if (items.length === 0) return [];
  return [
    { kind: "heading", level: 3, text: `Step ${step.number}, ${step.kind}: ${step.summary}` },
    { kind: "list", items },
  ];
}

function outlineDetour(detour: DetourReport): readonly Block[] {
  const { actor, reason, startedAt, tookMs } = detour;
  const why = reason === null ? "" : `: ${reason}`;
  const began = startedAt === null ? "" : `${renderTime(startedAt)}, `;
  return [
    { kind: "heading", level: 2, text: capitalize(titleOf(detour)) },
    { kind: "list", items: [`${began}by ${actor}${why}; took ${renderTook(tookMs)}`, ...describeStage(detour)] },
  ];
}

function titleOf({ kind }: DetourReport): string {
  return kind === "back" ? "the way back" : "the way back undone";
}

function describeStage({ counted, moves, verdicts }: StageReport): readonly string[] {
  const versions = renderByVersion(counted);
  return [
    ...(versions === "" ? [] : [`answered meanwhile: ${versions}`]),
    ...moves.map(describeMove),
    ...verdicts.flatMap(describeVerdict),
  ];
}

function parenthesize(text: string): string {
  return text === "" ? "" : ` (${text})`;
}

/** A question that somebody is asked ends by itself. */
function endSentence(text: string): string {
  return /[.?!]$/u.test(text) ? text : `${text}.`;
}

function capitalize(text: string): string {
  return `${text.slice(0, 1).toUpperCase()}${text.slice(1)}`;
}
