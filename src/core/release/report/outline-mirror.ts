import { renderDuration } from "../../diagnostics/render-duration.ts";
import type { ComparedSide, MirrorReport } from "../mirror/mirror-report.ts";
import type { AnswerDifference } from "../mirror/compare-answers.ts";
import type { PathRate } from "../mirror/tally-paths.ts";
import type { Block, Fact } from "./outline.ts";
import { renderCount, renderShare } from "./report-words.ts";

const shownPaths = 20;

/** What copies have shown of the new version, and what it would have to be sized for. */
export function outlineMirror(mirror: MirrorReport): readonly Block[] {
  const { examples, sizing } = mirror;
  const rates = [...sizing.paths.slice(0, shownPaths), ...(sizing.others === null ? [] : [sizing.others])];
  return [
    { kind: "heading", level: 2, text: "Copied requests" },
    { kind: "facts", facts: listFacts(mirror) },
    ...(examples.length === 0
      ? []
      : ([
          { kind: "heading", level: 3, text: "The first differences" },
          {
            kind: "table",
            head: [{ title: "Request" }, { title: "Before" }, { title: "New" }, { title: "Differs in" }],
            rows: examples.map(({ method, path, liveStatus, freshStatus, differences }) => [
              `${method} ${path}`,
              String(liveStatus),
              String(freshStatus),
              differences.map(describeDifference).join("; "),
            ]),
          },
        ] as const)),
    ...(rates.length === 0
      ? []
      : ([
          { kind: "heading", level: 3, text: "Requests per second by path, for sizing" },
          {
            kind: "paragraph",
            text: `Estimated from the copies, over ${renderDuration(sizing.spanMs)}; each figure of the course is the mean of ${renderDuration(sizing.windowMs)}.`,
          },
          {
            kind: "table",
            head: [
              { title: "Path" },
              { title: "Requests", isNumber: true },
              { title: "Mean/s", isNumber: true },
              { title: "Peak/s", isNumber: true },
              { title: "Course" },
            ],
            rows: rates.map(describeRate),
          },
        ] as const)),
  ];
}

function listFacts(mirror: MirrorReport): readonly Fact[] {
  const { copied, compared, same, different, differentIn, sentOnce, tooLong, dropped, timeouts, unasked } = mirror;
  const kinds = Object.entries(differentIn).filter(([, count]) => count > 0);
  const where =
    kinds.length === 0 ? "" : ` (${kinds.map(([kind, count]) => `${kind} ${renderCount(count)}`).join(", ")})`;
  const others = Object.entries({
    "sent to the new version alone": sentOnce,
    "too long to compare": tooLong,
    "not sent on": dropped,
    "no answer of the version before in time": timeouts.live,
    "no answer of the new version in time": timeouts.fresh,
    "proxy could not be asked": unasked,
  }).filter(([, count]) => count > 0);
  return [
    ["Copied", `${renderCount(copied)} requests, ${renderCount(compared)} compared`],
    ["Same", renderCount(same)],
    ["Different", `${renderCount(different)}${where}, ${renderShare(different, compared)} of those compared`],
    ...(others.length === 0
      ? []
      : [["Not compared", others.map(([what, count]) => `${renderCount(count)} ${what}`).join(", ")] as const]),
    ["Answered within", (["live", "fresh"] as const).map((side) => describeLatency(mirror, side)).join("; ")],
  ];
}

const sideNames: Readonly<Record<ComparedSide, string>> = { live: "version before", fresh: "new version" };

function describeLatency({ latency }: MirrorReport, side: ComparedSide): string {
  const { p50Ms, p90Ms, p99Ms } = latency[side];
  if (p50Ms === null || p90Ms === null || p99Ms === null) return `${sideNames[side]} none`;
  return `${sideNames[side]} p50 ${renderDuration(p50Ms)}, p90 ${renderDuration(p90Ms)}, p99 ${renderDuration(p99Ms)}`;
}

function describeDifference(difference: AnswerDifference): string {
  switch (difference.kind) {
    case "status":
      return "status";
    case "header":
      return `header ${difference.name}`;
    case "body":
      return difference.field === null ? "body" : `body at ${difference.field}`;
  }
}

function describeRate({ path, requests, averagePerSecond, peakPerSecond, perSecond }: PathRate): readonly string[] {
  return [path, renderCount(requests), String(averagePerSecond), String(peakPerSecond), drawCourse(perSecond)];
}

const bars = "▁▂▃▄▅▆▇█";

/** One bar a value, as high as its share of the highest. */
function drawCourse(values: readonly number[]): string {
  const highest = Math.max(...values, Number.MIN_VALUE);
  return values.map((value) => bars[Math.min(bars.length - 1, Math.floor((value / highest) * bars.length))]).join("");
}
