import { renderDuration } from "../../diagnostics/render-duration.ts";
import { escapeHtml } from "./escape-html.ts";
import { versionsOf } from "./outline-traffic.ts";
import type { ReleaseReport, ReportPoint, StageReport } from "./release-report.ts";
import { renderCount } from "./report-words.ts";

const width = 960;
const height = 320;
const left = 56;
const right = 12;
const top = 44;
const bottom = 30;
/** Versions that are named by a colour have it; there are four that can be told apart. */
const styleOfName: ReadonlyMap<string, number> = new Map([
  ["blue", 0],
  ["green", 1],
]);
const styleCount = 4;

function chooseStyles(names: readonly string[]): ReadonlyMap<string, number> {
  const taken = new Set(names.map((name) => styleOfName.get(name)));
  const free = Array.from({ length: styleCount }, (_, style) => style).filter((style) => !taken.has(style));
  const others = names.filter((name) => !styleOfName.has(name));
  return new Map([...styleOfName, ...others.map((name, index) => [name, free[index % free.length] ?? 0] as const)]);
}

interface Scale {
  readonly fromMs: number;
  readonly untilMs: number;
  /** Requests per second. */
  readonly highest: number;
}

/** Requests per second of each version over time, with the steps and verdicts marked; errors are bars at the foot. */
export function renderGraph(report: ReleaseReport): string {
  const { points } = report;
  const names = versionsOf(points);
  const scale = findScale(report);
  const styles = chooseStyles(names);
  const lines = names.map((name) => renderLine(points, { name, style: styles.get(name) ?? 0, scale }));
  const marks = listMarks(report).map((mark, index) => renderMark(mark, index, scale));
  return [
    "<figure>",
    `<svg viewBox="0 0 ${width} ${height}" role="img" aria-labelledby="graph-title graph-text">`,
    '<title id="graph-title">Requests per second by version</title>',
    `<desc id="graph-text">${escapeHtml(describeGraph(report, names))}</desc>`,
    ...renderAxes(scale),
    ...renderErrors(points, { names, scale }),
    ...lines,
    ...marks,
    "</svg>",
    `<figcaption>${renderLegend(styles, names)} Bars at the foot: failed requests. Dashed uprights: where each step or way back begins, and verdicts.</figcaption>`,
    "</figure>",
  ].join("\n");
}

function describeGraph({ newVersion, counted, takenBack }: ReleaseReport, names: readonly string[]): string {
  const each = names.map((name) => {
    const { requests = 0, failed = 0 } = counted.byVersion[name] ?? {};
    return `${name} answered ${renderCount(requests)} requests, ${renderCount(failed)} of them failed`;
  });
  const back = takenBack === null ? "" : ` It was taken back at ${takenBack.backAt}.`;
  return `${each.join("; ")}. The new version is ${newVersion.names.join(", ")}.${back} A table with the figures follows.`;
}

function findScale({ points, startedAt, steps, detours }: ReleaseReport): Scale {
  const ends = [...steps, ...detours].flatMap(({ endedAt }) => (endedAt === null ? [] : [Date.parse(endedAt)]));
  const fromMs = Math.min(points[0]?.fromMs ?? Number.POSITIVE_INFINITY, Date.parse(startedAt));
  const untilMs = Math.max(points.at(-1)?.untilMs ?? 0, ...ends, fromMs + 1_000);
  let highest = 1;
  for (const point of points) {
    for (const { requests } of Object.values(point.byVersion)) highest = Math.max(highest, rateOf(requests, point));
  }
  return { fromMs, untilMs, highest: roundUp(highest) };
}

/** To 1, 2 or 5 times a power of ten, so that the axis has round figures. */
function roundUp(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  return ([1, 2, 5].find((factor) => factor * power >= value) ?? 10) * power;
}

function rateOf(count: number, { fromMs, untilMs }: ReportPoint): number {
  // A look that comes right after another one says little about a second.
  return (count * 1_000) / Math.max(untilMs - fromMs, 250);
}

function toX(atMs: number, { fromMs, untilMs }: Scale): number {
  return round(left + ((width - left - right) * (atMs - fromMs)) / (untilMs - fromMs));
}

function toY(rate: number, { highest }: Scale): number {
  return round(height - bottom - ((height - top - bottom) * Math.min(rate, highest)) / highest);
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

/** Level over each point: what is known is the mean of its time. A time without a look is a gap. */
function renderLine(
  points: readonly ReportPoint[],
  { name, style, scale }: { readonly name: string; readonly style: number; readonly scale: Scale },
): string {
  let path = "";
  let endMs = Number.NaN;
  for (const point of points) {
    const y = toY(rateOf(point.byVersion[name]?.requests ?? 0, point), scale);
    path += `${point.fromMs === endMs ? "L" : "M"}${toX(point.fromMs, scale)} ${y}H${toX(point.untilMs, scale)}`;
    endMs = point.untilMs;
  }
  return `<path class="line v${style}" d="${path}"><title>${escapeHtml(name)}</title></path>`;
}

function renderErrors(
  points: readonly ReportPoint[],
  { names, scale }: { readonly names: readonly string[]; readonly scale: Scale },
): readonly string[] {
  return points.flatMap((point) => {
    const failed = names.reduce((sum, name) => sum + (point.byVersion[name]?.failed ?? 0), 0);
    if (failed === 0) return [];
    const x = toX(point.fromMs, scale);
    const y = Math.min(toY(rateOf(failed, point), scale), height - bottom - 3);
    const wide = Math.max(round(toX(point.untilMs, scale) - x), 1);
    return [
      `<rect class="bad" x="${x}" y="${y}" width="${wide}" height="${round(height - bottom - y)}"><title>${renderCount(failed)} failed</title></rect>`,
    ];
  });
}

function renderAxes(scale: Scale): readonly string[] {
  const rows = [0, 0.5, 1].map((part) => {
    const rate = scale.highest * part;
    const y = toY(rate, scale);
    return `<line class="grid" x1="${left}" x2="${width - right}" y1="${y}" y2="${y}"/><text x="${left - 6}" y="${y + 4}" text-anchor="end">${round(rate)}</text>`;
  });
  const columns = listTicks(scale.untilMs - scale.fromMs).map((sinceMs) => {
    const x = toX(scale.fromMs + sinceMs, scale);
    const anchor = sinceMs === 0 ? "start" : x > width - right - 30 ? "end" : "middle";
    return `<text x="${x}" y="${height - 8}" text-anchor="${anchor}">${sinceMs === 0 ? "0" : renderDuration(sinceMs)}</text>`;
  });
  return [...rows, ...columns];
}

const secondMs = 1_000;
const minuteMs = 60 * secondMs;
const hourMs = 60 * minuteMs;
const roundTimes: readonly number[] = [
  ...[1, 2, 5, 10, 15, 30].map((count) => count * secondMs),
  ...[1, 2, 5, 10, 15, 30].map((count) => count * minuteMs),
  ...[1, 2, 3, 6, 12, 24, 48, 96, 168].map((count) => count * hourMs),
];
const mostTicks = 7;

/** At round times since the start. */
function listTicks(spanMs: number): readonly number[] {
  const everyMs = roundTimes.find((each) => spanMs / each <= mostTicks) ?? spanMs / mostTicks;
  return Array.from({ length: Math.floor(spanMs / everyMs) + 1 }, (_, index) => index * everyMs);
}

interface Mark {
  readonly atMs: number;
  /** A few signs. */
  readonly label: string;
  readonly title: string;
  readonly style: "" | "pass" | "fail";
}

function listMarks({ steps, detours }: ReleaseReport): readonly Mark[] {
  const stages: readonly (readonly [StageReport, string, string])[] = [
    ...steps.map((step) => [step, String(step.number), `step ${step.number}, ${step.kind}: ${step.summary}`] as const),
    ...detours.map((detour) =>
      detour.kind === "back"
        ? ([detour, "back", `the way back, by ${detour.actor}`] as const)
        : ([detour, "again", `the way back undone, by ${detour.actor}`] as const),
    ),
  ];
  const marks = stages.flatMap(([{ startedAt, verdicts }, label, title]): readonly Mark[] => {
    if (startedAt === null) return [];
    const judged = verdicts.map(({ at, verdict, detail }): Mark => {
      const style = verdict === "unknown" ? "" : verdict;
      return { atMs: Date.parse(at), label: verdict, title: `check ${verdict}: ${detail}`, style };
    });
    return [{ atMs: Date.parse(startedAt), label, title, style: "" }, ...judged];
  });
  return marks.toSorted((one, other) => one.atMs - other.atMs);
}

/** Labels take turns on three lines, so that neighbours do not cover each other. */
function renderMark({ atMs, label, title, style }: Mark, index: number, scale: Scale): string {
  const x = toX(atMs, scale);
  const y = 12 + 13 * (index % 3);
  const anchor = x > width - 60 ? "end" : "start";
  const shift = anchor === "end" ? -3 : 3;
  return `<g><title>${escapeHtml(title)}</title><line class="mark" x1="${x}" x2="${x}" y1="${y - 8}" y2="${height - bottom}"/><text class="${style}" x="${x + shift}" y="${y}" text-anchor="${anchor}">${escapeHtml(label)}</text></g>`;
}

function renderLegend(styles: ReadonlyMap<string, number>, names: readonly string[]): string {
  const swatches = names.map((name) => {
    const line = `<svg viewBox="0 0 28 8" style="width:28px;height:8px" aria-hidden="true"><path class="line v${styles.get(name) ?? 0}" d="M0 4H28"/></svg>`;
    return `${line} ${escapeHtml(name)}`;
  });
  return `${swatches.join(", ")}.`;
}
