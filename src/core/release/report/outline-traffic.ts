import type { Block } from "./outline.ts";
import type { ReleaseReport, ReportPoint } from "./release-report.ts";

/** As many rows as people read. */
const mostRows = 24;

/** The graph, and the same in figures for who cannot see it. */
export function outlineTraffic({ points }: Pick<ReleaseReport, "points">): readonly Block[] {
  const names = versionsOf(points);
  if (names.length === 0) return [{ kind: "paragraph", text: "No request was counted." }];
  const startMs = points[0]?.fromMs ?? 0;
  return [
    { kind: "graph" },
    {
      kind: "table",
      head: [
        { title: "Seconds", isNumber: true },
        ...names.flatMap((name) => [
          { title: `${name}, requests/s`, isNumber: true },
          { title: `${name}, failed/s`, isNumber: true },
        ]),
      ],
      rows: joinRows(points).map(({ fromMs, untilMs, byVersion }) => [
        `${seconds(fromMs - startMs)} to ${seconds(untilMs - startMs)}`,
        ...names.flatMap((name) => {
          const { requests = 0, failed = 0 } = byVersion[name] ?? {};
          return [perSecond(requests, untilMs - fromMs), perSecond(failed, untilMs - fromMs)];
        }),
      ]),
    },
  ];
}

/** Those that have answered anything, in the order of the plan. */
export function versionsOf(points: readonly ReportPoint[]): readonly string[] {
  const names = new Set(points.flatMap(({ byVersion }) => Object.keys(byVersion)));
  return [...names].filter((name) => points.some(({ byVersion }) => (byVersion[name]?.requests ?? 0) > 0));
}

function joinRows(points: readonly ReportPoint[]): readonly ReportPoint[] {
  const size = Math.ceil(points.length / mostRows);
  return points.flatMap((point, index) => {
    const group = points.slice(index, index + size);
    const last = group.at(-1);
    if (index % size !== 0 || last === undefined) return [];
    return [{ fromMs: point.fromMs, untilMs: last.untilMs, byVersion: sumPoints(group) }];
  });
}

function sumPoints(points: readonly ReportPoint[]): ReportPoint["byVersion"] {
  const sums: Record<string, { requests: number; failed: number }> = {};
  for (const { byVersion } of points) {
    for (const [name, { requests, failed }] of Object.entries(byVersion)) {
      const known = sums[name] ?? { requests: 0, failed: 0 };
      sums[name] = { requests: known.requests + requests, failed: known.failed + failed };
    }
  }
  return sums;
}

function perSecond(count: number, ms: number): string {
  return ms === 0 ? "0" : String(Math.round((count / ms) * 10_000) / 10);
}

function seconds(ms: number): string {
  return String(Math.round(ms / 100) / 10);
}
