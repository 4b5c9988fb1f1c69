import type { LiveVersion, ReleaseLive, ReleaseSummary } from "../../api/types.ts";
import type { CheckProgress, JudgeProgress, VersionFigures } from "../../core/release/check/check-progress.ts";
import { describeAddition } from "../../core/release/describe/describe-release.ts";
import { visibleLength } from "../terminal.ts";
import { describeEvent } from "../../core/release/describe/describe-event.ts";
import { renderRule } from "../../core/release/move/refusals.ts";
import { isMoving } from "../../core/release/state/release-phase.ts";
import { renderEveryShare } from "../../core/release/state/render-shares.ts";
import type { OwnedAddition } from "../../core/routes/route-addition.ts";
import { inkVersion, type Ink } from "../ink.ts";
import { inkPhase } from "./release.ts";
import { renderAgo, renderInstant, renderLeft } from "./time-words.ts";
import { renderTree, type Tone, type TreeRow } from "./tree.ts";
import { countOf, renderRate } from "./words.ts";

export interface ReleaseTreeOptions {
  readonly ink: Ink;
  readonly nowMs: number;
  readonly columns: number;
  readonly indent: string;
  /** `namespace/name`: only what is about this VirtualService; undefined shows all. */
  readonly service: string | undefined;
  /** What releases have laid over the routes. */
  readonly additions: readonly OwnedAddition[];
  /** `whole` has the steps and what is waited for; `share` only what the service has of it. */
  readonly extent: "whole" | "share";
}

/** One release as a tree: steps, weights wanted and observed, versions, judges, whom it waits for, and what was last. */
export function renderReleaseTree(release: ReleaseSummary, options: ReleaseTreeOptions): string {
  const { ink, indent, extent } = options;
  const { to, phase, step, steps } = release;
  const place = step === null ? "" : `, step ${step} of ${steps.length}`;
  const name = `${indent}${ink.bold("Release")}  ${release.release} to ${inkVersion(ink, to)}:`;
  const where = `${inkPhase(phase, ink)}${place}`;
  const width = visibleLength(`${name} ${where}`);
  // What a release does matters more than that it stands in one line.
  const heading = width <= options.columns ? `${name} ${where}` : `${name}\n${indent}${ink.dim("│")}  ${where}`;
  const whole = extent === "whole";
  const rows = [
    ...(whole ? stepRows(release) : []),
    ...weightRows(release, options),
    ...(whole ? additionRows(release, options) : []),
    ...trafficRows(release.live, options),
    ...(whole
      ? [...checkRows(release, options.nowMs), ...waitRows(release, options), ...lastRows(release, options)]
      : []),
  ];
  return rows.length === 0 ? heading : `${heading}\n${renderTree(rows, options)}`;
}

function stepRows({ steps }: ReleaseSummary): readonly TreeRow[] {
  return steps.map(({ number, kind, state, summary }) => {
    const text = `${number} ${kind}: ${summary}`;
    switch (state) {
      case "done":
        return { label: "done", text, labelTone: "good" };
      case "now":
        return { label: "now", text, labelTone: "warn", tone: "strong" };
      case "next":
        return { label: "next", text, labelTone: "quiet", tone: "quiet" };
      case "undone":
        return { label: "undone", text, labelTone: "quiet", tone: "quiet" };
    }
  });
}

/** A difference is shouted, but not in the moments in which weights are on their way. */
function weightRows({ live, phase, services }: ReleaseSummary, { service }: ReleaseTreeOptions): TreeRow[] {
  const rules = live?.rules.filter(({ virtualService }) => service === undefined || virtualService === service) ?? [];
  const namesService = service === undefined && services.length > 1;
  return rules.map(({ virtualService, rule, name, wanted, observed, isAsWanted }) => {
    const where = `${renderRule({ rule, ruleName: name ?? undefined })}${namesService ? ` of ${virtualService}` : ""}`;
    const want = `${where} wanted ${renderEveryShare(wanted)};`;
    if (observed === null) {
      return { label: "weights", text: `${want} the proxies could not be asked`, tone: "warn" as const };
    }
    const seen = `observed ${renderEveryShare(observed)}`;
    if (isAsWanted !== false) return { label: "weights", text: `${want} ${seen}` };
    if (isMoving({ kind: phase }))
      return { label: "weights", text: `${want} ${seen}, on its way`, tone: "warn" as const };
    return {
      label: "WEIGHTS",
      text: `NOT AS WANTED: ${want} ${seen}`,
      labelTone: "shout" as const,
      tone: "shout" as const,
    };
  });
}

/** What is laid over the routes now, and will be taken away again. */
function additionRows({ release }: ReleaseSummary, { additions }: ReleaseTreeOptions): readonly TreeRow[] {
  const own = additions.filter((each) => each.release === release);
  return own.map(({ addition }) => ({ label: "added", text: describeAddition(addition) }));
}

function trafficRows(live: ReleaseLive | null, { service }: ReleaseTreeOptions): readonly TreeRow[] {
  const versions =
    live?.versions.filter(({ virtualService }) => service === undefined || virtualService === service) ?? [];
  const nameWidth = Math.max(0, ...versions.map(({ name }) => name.length));
  return versions.map((version) => ({
    label: "traffic",
    text: renderTraffic(version, nameWidth),
    tone: version.errorsPerSecond > 0 ? "bad" : "plain",
  }));
}

function renderTraffic({ name, requestsPerSecond, errorsPerSecond, latency }: LiveVersion, nameWidth: number): string {
  const share = requestsPerSecond === 0 ? 0 : Math.min(100, (100 * errorsPerSecond) / requestsPerSecond);
  const figures = [`${renderRate(requestsPerSecond)} req/s`, `${formatPercent(share)} % errors`];
  const times = latency === null ? [] : [`p50 ${formatMs(latency.p50Ms)}`, `p99 ${formatMs(latency.p99Ms)}`];
  return `${name.padEnd(nameWidth)}  ${[...figures, ...times].map((each) => each.padStart(11)).join("  ")}`;
}

function checkRows({ check, to }: ReleaseSummary, nowMs: number): readonly TreeRow[] {
  if (check === null) return [];
  return [
    { label: "check", text: describeCheckTime(check, nowMs) },
    ...[
      { name: to, figures: check.fresh },
      { name: "the version before", figures: check.live },
    ].map(({ name, figures }) => ({ label: "check", text: `${name}: ${renderFigures(figures)}` })),
    ...(check.answers === undefined
      ? []
      : [
          {
            label: "check",
            text: `copied requests: ${check.answers.different} of ${check.answers.compared} answers differ`,
          },
        ]),
    ...check.judges.map(judgeRow),
  ];
}

function describeCheckTime({ fromMs, untilMs, isDryRun }: CheckProgress, nowMs: number): string {
  const dryRun = isDryRun ? "; a dry run, which changes nothing" : "";
  if (nowMs < fromMs) return `begins to count in ${renderLeft(fromMs - nowMs)}${dryRun}`;
  if (nowMs >= untilMs) return `its time is over, and it is still asking${dryRun}`;
  return `${renderLeft(nowMs - fromMs)} of ${renderLeft(untilMs - fromMs)}${dryRun}`;
}

function renderFigures({ requests, errors, latency, ejections }: VersionFigures): string {
  const share = requests === 0 ? "" : ` (${formatPercent((100 * errors) / requests)} %)`;
  return [
    countOf(requests, "request"),
    `${countOf(errors, "error")}${share}`,
    ...latency.map(({ percentile, ms }) => `p${percentile} ${formatMs(ms)}`),
    ...(ejections === null ? [] : [countOf(ejections, "ejection")]),
  ].join(", ");
}

function judgeRow({ name, kind, verdict, isDryRun, detail, ...tally }: JudgeProgress): TreeRow {
  const { asked, passed, failed, inconclusive } = tally;
  const counts = `asked ${asked} times: ${passed} yes, ${failed} no, ${inconclusive} unknown`;
  const said = detail === undefined ? "" : `; last: ${detail}`;
  const text = `${name} (${kind}${isDryRun ? ", dry run" : ""}) ${wordOf(verdict)}, ${counts}${said}`;
  return { label: "judge", text, tone: verdict === undefined ? "plain" : verdictTones[verdict] };
}

const verdictTones = { pass: "good", fail: "bad", unknown: "warn" } as const;

function wordOf(verdict: JudgeProgress["verdict"]): string {
  switch (verdict) {
    case "pass":
      return "passed";
    case "fail":
      return "failed";
    case "unknown":
      return "does not know";
    case undefined:
      return "is being asked";
  }
}

function waitRows(release: ReleaseSummary, { nowMs }: ReleaseTreeOptions): readonly TreeRow[] {
  const { message, phase, untilMs, limitMs } = release;
  return [
    ...(message === phase ? [] : [{ label: "status", text: message, tone: toneOf(phase) }]),
    ...approvalRows(release, nowMs),
    ...(untilMs === null
      ? []
      : [{ label: "until", text: `${renderInstant(untilMs)}, ${renderLeft(untilMs - nowMs)} left` }]),
    ...(limitMs === null
      ? []
      : [{ label: "limit", text: `has to end by ${renderInstant(limitMs)}, ${renderLeft(limitMs - nowMs)} left` }]),
  ];
}

function toneOf(phase: ReleaseSummary["phase"]): Tone {
  if (phase === "failed") return "bad";
  return phase === "awaiting" || phase === "paused" || phase === "frozen" ? "warn" : "plain";
}

function approvalRows({ approval }: ReleaseSummary, nowMs: number): readonly TreeRow[] {
  if (approval === null) return [];
  const { people, given, notBy } = approval;
  const missing = people - given.length;
  return [
    ...given.map(({ actor, reason, untilMs }) => {
      const counts = untilMs === null ? "" : `, counts for another ${renderLeft(untilMs - nowMs)}`;
      return { label: "yes", text: `${actor}${reason === null ? "" : `: ${reason}`}${counts}` };
    }),
    ...(missing <= 0
      ? []
      : [
          {
            label: "missing",
            text: `${missing} of ${people}${notBy === null ? "" : `, and not ${notBy}, who started it`}`,
          },
        ]),
  ];
}

function lastRows({ lastEvent }: ReleaseSummary, { nowMs }: ReleaseTreeOptions): readonly TreeRow[] {
  if (lastEvent === null) return [];
  return [{ label: "last", text: `${renderAgo(nowMs - lastEvent.atMs)}: ${describeEvent(lastEvent)}` }];
}

/** Rounded up, so that what is not without errors never shows as 0. */
function formatPercent(percent: number): string {
  return (Math.ceil(percent * 100) / 100).toFixed(2);
}

/** Envoy counts whole milliseconds. */
function formatMs(ms: number): string {
  if (ms < 1) return "<1 ms";
  return `${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms`;
}
