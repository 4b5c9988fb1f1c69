import type { MoveProgress, MoveResult } from "../../api/types.ts";
import type { MovePlan, SplitChange } from "../../core/release/move.ts";
import { inkVersion, type Ink } from "../ink.ts";
import { renderTable } from "../terminal.ts";

/** The keys of the contract first, in its order, then the others. */
export function orderResult(result: MoveResult): Readonly<Record<string, unknown>> {
  const { ok, from, to, callToProofMs, proxies, ledger, ...rest } = result;
  return { ok, from, to, callToProofMs, proxies, ledger, ...rest };
}

/** The part of the answer that a step brings; empty for steps that only take time. */
export function renderProgress(progress: MoveProgress, ink: Ink): string {
  if (progress.kind === "planned") return renderPlan(progress.plan, ink);
  if (progress.kind === "preflight") return renderPreflight(progress.report, ink);
  return progress.kind === "proved" ? renderProof(progress, ink) : "";
}

/** What is going on right now, for who waits. */
export function renderProgressNote(progress: MoveProgress, ink: Ink): string {
  if (progress.kind === "counting") return ink.dim("counting what the traffic met ...");
  return progress.kind === "restoring" ? ink.yellow(`restoring what was live before: ${progress.reason}`) : "";
}

export function renderPlan(plan: MovePlan, ink: Ink): string {
  const heading = `${ink.bold("Plan")}  ${plan.verb} ${plan.virtualService}: ${inkVersion(ink, plan.from)} to ${inkVersion(ink, plan.to)}`;
  const changes = plan.changes.map((change) => [
    change.role,
    renderRule(change.rule, change.ruleName),
    renderChange(plan, change, ink),
  ]);
  const stays = plan.stays.map((rule) => ["stays", renderRule(rule.rule, rule.ruleName), ink.dim(rule.reason)]);
  return [heading, renderTable([...changes, ...stays], "  ")].filter((part) => part !== "").join("\n");
}

function renderRule(rule: number, name: string | undefined): string {
  return name === undefined ? `rule ${rule}` : `rule ${rule} (${name})`;
}

/** `blue 100 to 0 %, green 0 to 100 %`, the versions that change. */
function renderChange(plan: MovePlan, change: SplitChange, ink: Ink): string {
  const destinations = new Set([...Object.keys(change.before), ...Object.keys(change.after)]);
  const parts = [...destinations].flatMap((destination) => {
    const before = sharePercent(change.before, destination);
    const after = sharePercent(change.after, destination);
    if (before === 0 && after === 0) return [];
    const name = inkVersion(ink, versionOf(plan, destination));
    return before === after ? [`${name} stays ${after} %`] : [`${name} ${before} to ${after} %`];
  });
  return parts.join(", ");
}

function versionOf(plan: MovePlan, destination: string): string {
  return plan.versions.find((version) => version.destinations.includes(destination))?.name ?? destination;
}

function sharePercent(weights: Readonly<Record<string, number>>, destination: string): number {
  const sum = Object.values(weights).reduce((total, weight) => total + weight, 0);
  return sum === 0 ? 0 : Math.round(((weights[destination] ?? 0) / sum) * 1000) / 10;
}

function renderPreflight(report: Extract<MoveProgress, { kind: "preflight" }>["report"], ink: Ink): string {
  const rows = report.checks.map((check) => [renderVerdict(check.verdict, ink), check.name, check.detail]);
  return [ink.bold("Preflight"), renderTable(rows, "  ")].filter((part) => part !== "").join("\n");
}

function renderVerdict(verdict: "pass" | "fail" | "unknown", ink: Ink): string {
  if (verdict === "pass") return ink.green("pass");
  return verdict === "fail" ? ink.red("fail") : ink.yellow("unknown");
}

function renderProof(proof: Extract<MoveProgress, { kind: "proved" }>, ink: Ink): string {
  const heading = `${ink.bold("Moved")}  proved by every proxy ${renderMs(proof.callToProofMs)} after the call`;
  const rows = proof.proxies.map((proxy) => [
    proxy.node,
    `ACK ${renderMs(proxy.ackMs)}`,
    `all workers ${renderMs(proxy.workersMs)}`,
  ]);
  return `${heading}\n${renderTable(rows, "  ")}`;
}

/** What is known when the move has ended, and what to do next. */
export function renderEnd(result: MoveResult, ink: Ink): string {
  return [renderLedger(result, ink), renderVerdictLine(result, ink), renderNext(result, ink)]
    .filter((part) => part !== "")
    .join("\n");
}

function renderLedger({ ledger, from, to }: MoveResult, ink: Ink): string {
  if (ledger === null) return "";
  const zero = (count: number) => (count === 0 ? ink.green("0") : ink.red(String(count)));
  const versions = Object.entries(ledger.byVersion).map(([name, count]) => `${inkVersion(ink, name)} ${count}`);
  const last = ledger.lastOldMs === null ? "before the call" : `${renderMs(ledger.lastOldMs)} after the call`;
  const oldRows = [
    [`last answer of ${from}`, last],
    [`${from} after done`, zero(ledger.oldAfterDone)],
  ];
  const rows = [
    ["requests", `${ledger.requests} = ${ledger.ok} ok + ${zero(ledger.failed)} failed`],
    ["by version", versions.join(", ")],
    ...(from === to ? [] : oldRows),
    ...(ledger.clientGone === 0 ? [] : [["clients that left", String(ledger.clientGone)]]),
    ...(ledger.isComplete ? [] : [["incomplete", ink.red("the proxy dropped records, so this is no proof")]]),
    ...ledger.failures.map((failure) => ["failure", ink.red(failure)]),
  ];
  return `${ink.bold("Ledger")}\n${renderTable(rows, "  ")}`;
}

function renderVerdictLine(result: MoveResult, ink: Ink): string {
  if (result.ok)
    return `${ink.green(ink.bold("Done"))}  ${inkVersion(ink, result.to)} is live, and the proxies prove it.`;
  const words = {
    done: "Done",
    unproved: "Moved, but not proved",
    refused: "Refused",
    restored: "Restored",
    stuck: "Stuck",
  } as const;
  return `${ink.red(ink.bold(words[result.outcome]))}  ${result.message ?? "No reason was given."}`;
}

function renderNext({ outcome, plan }: MoveResult, ink: Ink): string {
  const [namespace, name] = plan.virtualService.split("/");
  if (outcome !== "done" && outcome !== "unproved") return "";
  return ink.dim(`Undo it with: kirikae rollback ${name} -n ${namespace}`);
}

export function renderDetached(name: string, ink: Ink): string {
  return ink.yellow(
    `Stopped watching. The move runs on in \`kirikae up\`; \`kirikae history ${name}\` says how it ends.`,
  );
}

function renderMs(ms: number): string {
  return `${ms < 100 ? ms.toFixed(1) : Math.round(ms)} ms`;
}
