import { renderDuration } from "../../diagnostics/render-duration.ts";
import type { CheckResult, VersionFigures } from "../check/check-progress.ts";
import { renderShares } from "../state/render-shares.ts";
import type { Answers, Counted, MoveReport, ReleaseReport, ShareChange, VerdictReport } from "./release-report.ts";

/** `12,345` */
export function renderCount(count: number): string {
  return Math.round(count)
    .toString()
    .replaceAll(/\B(?=(?:\d{3})+$)/gu, ",");
}

/** `100 = 98 ok + 2 failed` */
export function renderAnswers({ requests, ok, failed }: Answers): string {
  return `${renderCount(requests)} = ${renderCount(ok)} ok + ${renderCount(failed)} failed`;
}

/** `blue 900, green 100 (2 failed)`; empty where nothing was answered. */
export function renderByVersion({ byVersion }: Pick<Counted, "byVersion">): string {
  return Object.entries(byVersion)
    .filter(([, { requests }]) => requests > 0)
    .map(([name, { requests, failed }]) => `${name} ${renderCount(requests)}${renderFailed(failed)}`)
    .join(", ");
}

function renderFailed(failed: number): string {
  return failed === 0 ? "" : ` (${renderCount(failed)} failed)`;
}

/** With two decimals, rounded up, so that what failed never shows as 0. */
export function renderShare(part: number, whole: number): string {
  return whole === 0 ? "0 %" : `${Math.ceil((part / whole) * 10_000) / 100} %`;
}

/** Whole milliseconds: what was measured is no finer. */
export function renderTook(ms: number): string {
  return renderDuration(Math.round(ms));
}

/** `2026-01-01 10:00:00 UTC` */
export function renderTime(at: string): string {
  return at.replace("T", " ").replace(/\.\d+Z$/u, " UTC");
}

const phaseWords: Partial<Readonly<Record<ReleaseReport["phase"], string>>> = {
  rolledBack: "rolled back",
  rollingBack: "being rolled back",
  awaiting: "waiting for approval",
  redoing: "being brought back",
  setting: "having its weights set",
};

export function renderPhase(phase: ReleaseReport["phase"]): string {
  return phaseWords[phase] ?? phase;
}

/** `shop/web: blue 100 % to green 10 %, blue 90 %` */
export function renderShareChange({ virtualService, before, after }: ShareChange): string {
  return `${virtualService}: ${renderShares(before)} to ${renderShares(after)}`;
}

/** One sentence on each thing that is known of a move. */
export function describeMove(move: MoveReport): string {
  const { message, callToProofMs, proxies, ledger, probes } = move;
  const parts = [
    describeOutcome(move),
    ...(callToProofMs === null
      ? []
      : [`proved ${renderDuration(callToProofMs)} after the call by ${renderProxies(proxies)}`]),
    ...(ledger === null ? [] : [`while it ran: ${renderAnswers(ledger)}${renderLedger(ledger)}`]),
    ...(probes === null
      ? []
      : [`requests of kirikae's own: ${renderCount(probes.ok)} ok + ${renderCount(probes.failed)} failed`]),
    ...(message === null ? [] : [message]),
  ];
  return parts.join("; ");
}

function describeOutcome({ id, isMoved, shares }: MoveReport): string {
  if (id === null) return isMoved ? "done" : "not done";
  const between = shares === null ? "" : `${renderShares(shares.before)} to ${renderShares(shares.after)}`;
  return isMoved ? `moved (${id}): ${between}` : `not moved (${id})`;
}

function renderProxies(proxies: MoveReport["proxies"]): string {
  return proxies.length === 1 ? "every worker of 1 proxy" : `every worker of ${proxies.length} proxies`;
}

function renderLedger({ byVersion, failedByVersion = {}, isComplete }: NonNullable<MoveReport["ledger"]>): string {
  const parts = Object.entries(byVersion)
    .filter(([, count]) => count > 0)
    .map(([name, count]) => `${name} ${renderCount(count)}${renderFailed(failedByVersion[name] ?? 0)}`);
  const gap = isComplete ? "" : ", records were lost";
  return parts.length === 0 ? gap : ` (${parts.join(", ")}${gap})`;
}

/** `pass: 99.9 % of ...`, and a line for each judge. */
export function describeVerdict({ at, verdict, detail, results }: VerdictReport): readonly string[] {
  return [`${renderTime(at)}, check ${verdict}: ${detail}`, ...results.flatMap(describeResult)];
}

function describeResult(result: CheckResult): readonly string[] {
  if (result.kind === "judge") {
    const { name, verdict, asked, passed, failed, inconclusive, detail, isDryRun } = result;
    const said = detail === undefined ? "" : `, last: ${detail}`;
    const dry = isDryRun ? " (dry run)" : "";
    return [
      `judge ${name} ${verdict}${dry}: asked ${asked} times, ${passed} yes, ${failed} no, ${inconclusive} said nothing${said}`,
    ];
  }
  return [`new version: ${describeFigures(result.fresh)}`, `version before: ${describeFigures(result.live)}`];
}

/** `1,000 requests, 3 errors (0.3 %), p50 4 ms, p99 20 ms` */
function describeFigures({ requests, errors, latency, ejections }: VersionFigures): string {
  const parts = [
    `${renderCount(requests)} requests`,
    `${renderCount(errors)} errors (${renderShare(errors, requests)})`,
    ...latency.map(({ percentile, ms }) => `p${percentile} ${renderDuration(ms)}`),
    ...(ejections === null ? [] : [`${ejections} ejections`]),
  ];
  return parts.join(", ");
}
