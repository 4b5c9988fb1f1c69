import type { MoveProgress, MoveResult } from "../../api/types.ts";
import type { Ledger, MovePlan, SplitChange } from "../../core/release/move/move.ts";
import { renderList, renderRule } from "../../core/release/move/refusals.ts";
import { inkVersion, type Ink } from "../ink.ts";
import { renderTable } from "../terminal.ts";
import { keepsOld, previewsOld, publicShares, sharedPart, sharePercent, versionOf } from "./plan-shares.ts";
import { asSentence } from "./words.ts";

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
  if (progress.kind === "waiting") return ink.dim(`waiting for proof: ${progress.text}`);
  return progress.kind === "restoring" ? ink.yellow(`restoring what was live before: ${progress.reason}`) : "";
}

export function renderPlan(plan: MovePlan, ink: Ink): string {
  const heading = `${ink.bold("Plan")}  ${plan.verb} ${plan.virtualService}: ${inkVersion(ink, plan.from)} to ${inkVersion(ink, plan.to)}`;
  const changes = plan.changes.map((change) => [change.role, renderRule(change), renderChange(plan, change, ink)]);
  const stays = plan.stays.map((rule) => ["stays", renderRule(rule), ink.dim(rule.reason)]);
  // What a rule leads to on another port, or for other callers, changes in the same way, and is said once.
  const rows = new Map([...changes, ...stays].map((row) => [row.join("\n"), row]));
  return [heading, renderTable([...rows.values()], "  ")].filter((part) => part !== "").join("\n");
}

/** `blue 100 to 0 %, green 0 to 100 %`, the versions that change; of a shift, what its percentages are parts of. */
export function renderChange(plan: MovePlan, change: SplitChange, ink: Ink): string {
  const shared = plan.verb === "shift" ? sharedPart(plan, change) : undefined;
  if (shared === undefined) return renderShareChanges(plan, change, ink);
  const note = `(percents asked for are of the ${shared.percent} % that ${renderList(shared.names)} share)`;
  return `${renderShareChanges(plan, change, ink)} ${ink.dim(note)}`;
}

/** `blue 100 to 0 %, green 0 to 100 %, legacy stays 10 %` */
export function renderShareChanges(plan: MovePlan, change: SplitChange, ink: Ink): string {
  const destinations = new Set([...Object.keys(change.before), ...Object.keys(change.after)]);
  const parts = [...destinations].flatMap((destination) => {
    const before = roundedPercent(change.before, destination);
    const after = roundedPercent(change.after, destination);
    if (before === 0 && after === 0) return [];
    const name = inkVersion(ink, versionOf(plan, destination));
    return before === after ? [`${name} stays ${after} %`] : [`${name} ${before} to ${after} %`];
  });
  return parts.join(", ");
}

/** With one decimal, which is what the eye compares. */
function roundedPercent(weights: Readonly<Record<string, number>>, destination: string): number {
  return Math.round(sharePercent(weights, [destination]) * 10) / 10;
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
  const who = proof.note === undefined ? "proved by every proxy" : `proved (${ink.yellow(proof.note)})`;
  const heading = `${ink.bold("Moved")}  ${who} ${renderMs(proof.callToProofMs)} after the call`;
  const rows = proof.proxies.map((proxy) => [
    proxy.node,
    `ACK ${renderMs(proxy.ackMs)}`,
    `all workers ${renderMs(proxy.workersMs)}`,
  ]);
  return `${heading}\n${renderTable(rows, "  ")}`;
}

/** What a script gets as `error` when preflight refused. */
export interface MoveRefusal {
  /** KIR2010 for a version that cannot take traffic. */
  readonly code: string;
  readonly message: string;
  readonly details?: { readonly ready: Readonly<Record<string, number>> };
}

/** `KIR2010  ready: blue 2, green 0`; what has another code has said everything in its check. */
function renderRefusal({ code, details }: MoveRefusal, ink: Ink): string {
  if (details === undefined) return "";
  const ready = Object.entries(details.ready).map(([name, count]) => `${name} ${count}`);
  return `  ${ink.bold(code)}  ready: ${ready.length === 0 ? "unknown" : ready.join(", ")}`;
}

export interface EndOptions {
  readonly refusal?: MoveRefusal | undefined;
  /** Of the clusters that are moved; none is this machine. */
  readonly contexts?: readonly string[];
  /** The one rule that was asked for: without it, the way back would be that of other rules too. */
  readonly route?: string | undefined;
}

/** What is known when the move has ended, and what to do next. */
export function renderEnd(result: MoveResult, ink: Ink, { refusal, contexts = [], route }: EndOptions = {}): string {
  const reason = refusal === undefined ? "" : renderRefusal(refusal, ink);
  const next = renderNext(result, { ink, contexts, route });
  return [renderLedger(result, ink), renderVerdictLine(result, { ink, refusal }), reason, next]
    .filter((part) => part !== "")
    .join("\n");
}

function renderLedger({ ledger, from, to, plan }: MoveResult, ink: Ink): string {
  if (ledger === null) return "";
  const versions = Object.entries(ledger.byVersion).map(([name, count]) => `${inkVersion(ink, name)} ${count}`);
  const counts = [
    ["requests", `${ledger.requests} = ${ledger.ok} ok + ${inkZero(ledger.failed, ink)} failed`],
    ["by version", versions.join(", ")],
    ...(from === to || keepsOld(plan) ? [] : renderOld(ledger, plan, ink)),
  ];
  const rows = [
    ...(ledger.requests === 0 ? [["requests", "no requests came by; the proof is the proxies'"]] : counts),
    ...(ledger.clientGone === 0 ? [] : [["clients that left", String(ledger.clientGone)]]),
    ...(ledger.isComplete ? [] : [["incomplete", ink.red("the proxy dropped records, so this is no proof")]]),
    ...ledger.failures.map((failure) => ["failure", ink.red(failure)]),
  ];
  return `${ink.bold("Ledger")}\n${renderTable(rows, "  ")}`;
}

/** Where the old version keeps a share, its answers are as planned and neither line would mean anything. */
function renderOld(ledger: Ledger, plan: MovePlan, ink: Ink): readonly string[][] {
  const { from } = plan;
  const last = ledger.lastOldMs === null ? "before the call" : `${renderMs(ledger.lastOldMs)} after the call`;
  const testers = previewsOld(plan) ? ink.dim(` (${from} answers testers, which is not counted here)`) : "";
  return [
    [`last answer of ${from}`, last],
    [`${from} after done`, `${inkZero(ledger.oldAfterDone, ink)}${testers}`],
  ];
}

function inkZero(count: number, ink: Ink): string {
  return count === 0 ? ink.green("0") : ink.red(String(count));
}

/** `green is live` only when it has everything; else who has how much. */
function renderPlace({ plan, to }: MoveResult, ink: Ink): string {
  const [first, ...others] = publicShares(plan);
  if (first === undefined || others.length === 0) return `${inkVersion(ink, first?.name ?? to)} is live`;
  const rest = others.map(({ name, percent }) => `${inkVersion(ink, name)} ${percent} %`);
  return `${inkVersion(ink, first.name)} has ${first.percent} %, ${rest.join(", ")}`;
}

function renderVerdictLine(
  result: MoveResult,
  { ink, refusal }: { readonly ink: Ink; readonly refusal: MoveRefusal | undefined },
): string {
  if (result.ok) {
    const place = `${ink.green(ink.bold("Done"))}  ${renderPlace(result, ink)}, and the proxies prove it.`;
    return result.message === undefined ? place : `${place}\n${ink.yellow("But")}  ${asSentence(result.message)}`;
  }
  const words = {
    done: "Done",
    unproved: "Moved, but not proved",
    refused: "Refused",
    restored: "Restored",
    stuck: "Stuck",
  } as const;
  return `${ink.red(ink.bold(words[result.outcome]))}  ${asSentence(reasonOf(result, refusal))}`;
}

/** What has a code of its own stands whole in the table of the checks. */
function reasonOf({ message, preflight }: MoveResult, refusal: MoveRefusal | undefined): string {
  if (preflight === null || refusal === undefined || refusal.details !== undefined)
    return message ?? "No reason was given.";
  const failed = preflight.checks.filter(({ verdict }) => verdict === "fail").map(({ name }) => name);
  return `Nothing was changed: preflight failed for ${renderList(failed)} (${refusal.code})`;
}

function renderNext(
  { outcome, plan }: MoveResult,
  { ink, contexts, route }: Required<Omit<EndOptions, "refusal">> & { readonly ink: Ink },
): string {
  const [namespace, name] = plan.virtualService.split("/");
  const where = contexts.map((context) => `--context ${context} `).join("");
  const command = (verb: string): string => `kirikae ${where}${verb} ${name} -n ${namespace}`;
  switch (outcome) {
    case "done":
    case "unproved":
      return ink.dim(`Undo it with: ${command("rollback")}`);
    case "stuck": {
      const { verb, to } = planBack(plan);
      const rule = route === undefined ? "" : ` -r ${quoteWord(route)}`;
      return ink.dim(`See what is live with: ${command("status")}\nGo back with: ${command(verb)}${rule} --to ${to}`);
    }
    case "refused":
    case "restored":
      return "";
  }
}

/** As a shell takes it for one word: the name of a rule may hold anything. */
function quoteWord(text: string): string {
  return /^[\w.-]+$/u.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
}

/** By its versions, because a rollback knows only moves that are proved to have taken effect. */
function planBack(plan: MovePlan): { readonly verb: "switch" | "shift"; readonly to: string } {
  const [first, ...others] = publicShares({
    ...plan,
    to: plan.from,
    changes: plan.changes.map((change) => ({ ...change, after: change.before })),
  });
  if (first === undefined || others.length === 0) return { verb: "switch", to: first?.name ?? plan.from };
  const rest = others.reduce((sum, { percent }) => sum + percent, 0);
  // Rounded shares may add up to more than all.
  const shares = [{ ...first, percent: Math.min(first.percent, Math.round(10_000 - rest * 100) / 100) }, ...others];
  return { verb: "shift", to: shares.map(({ name, percent }) => `${name}=${percent}`).join(",") };
}

/** What a first Ctrl-C is answered with, while a move is in this process. */
export function renderStaying(signal: string, ink: Ink): string {
  return ink.dim(`${signal}: the move goes to its end first. Once more leaves it, and the next command ends it.`);
}

export function renderDetached(name: string, ink: Ink): string {
  return ink.yellow(
    `Stopped watching. The move runs on in \`kirikae up\`; \`kirikae history ${name}\` says how it ends.`,
  );
}

function renderMs(ms: number): string {
  return `${ms < 100 ? ms.toFixed(1) : Math.round(ms)} ms`;
}
