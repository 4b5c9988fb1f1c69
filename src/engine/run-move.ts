import { errorText } from "../core/diagnostics/error-text.ts";
import {
  advance,
  isRecordEffect,
  type MoveEffect,
  type MoveEvent,
  type MovePhase,
  type MoveState,
  type RecordEffect,
} from "../core/release/move/advance.ts";
import type { Ledger, MovePlan } from "../core/release/move/move.ts";
import type { MoveOutcome } from "../core/release/move/past-move.ts";
import { applyOrFail, eventOf, timeoutOf } from "./apply-weights.ts";
import { isolateListener } from "./isolate-listener.ts";
import type { JournalRecord } from "./journal-record.ts";
import { describeStuck } from "./describe-stuck.ts";
import { observeChanges } from "./observe-weights.ts";
import type { Clock, LedgerSession, PreflightReport, ProxyProof, Target } from "./ports.ts";
import type { MoveProgress, MoveResult } from "./report.ts";

/** Appends a record that is given a new id, and returns the id that the record has. */
type RecordWriter = (build: (newId: string) => JournalRecord) => string;

export interface MoveOptions {
  readonly target: Target;
  readonly clock: Clock;
  readonly settleMs: number;
  readonly applyTimeoutMs: number;
  readonly record: RecordWriter;
  /** What it throws does not reach the move. */
  readonly onProgress: (progress: MoveProgress) => void;
  readonly onDefect?: ((error: unknown) => void) | undefined;
}

/** Runs one plan to its end. What to do next is decided by `advance` alone; this carries out what it says. */
export async function runMove(plan: MovePlan, given: MoveOptions): Promise<MoveResult> {
  const options = { ...given, onProgress: isolateListener(given.onProgress, given.onDefect) };
  await using run = new MoveRun(plan, options);
  options.onProgress({ kind: "planned", plan });
  let state: MoveState = { phase: "planned", reason: undefined };
  let event: MoveEvent | undefined = { kind: "start" };
  while (event !== undefined) {
    const step = advance(state, event);
    state = step.state;
    event = undefined;
    for (const effect of step.effects) event = await run.carryOut(effect, state);
  }
  const result = run.result(state);
  options.onProgress({ kind: "finished", result });
  return result;
}

class MoveRun implements AsyncDisposable {
  readonly #plan: MovePlan;
  readonly #options: MoveOptions;
  readonly #startedAt: string;
  #id: string | undefined;
  #preflight: PreflightReport | null = null;
  #session: LedgerSession | undefined;
  #ledger: Ledger | null = null;
  #provedAt: string | undefined;
  /** Why it is not proved either that what was before it is live again. */
  #notBackBecause: string | undefined;
  /** What is true of a move that went well and yet has to be said. */
  readonly #notes: string[] = [];
  #proof: { readonly callToProofMs: number | null; readonly proxies: readonly ProxyProof[] } = {
    callToProofMs: null,
    proxies: [],
  };

  constructor(plan: MovePlan, options: MoveOptions) {
    this.#plan = plan;
    this.#options = options;
    this.#startedAt = this.#now();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Open only when the journal failed in the middle; counting must not go on for a move that nobody follows.
    await this.#session?.[Symbol.asyncDispose]();
  }

  async carryOut(effect: MoveEffect, state: MoveState): Promise<MoveEvent> {
    if (isRecordEffect(effect)) {
      this.#record(effect, state.reason);
      return { kind: "recorded" };
    }
    switch (effect) {
      case "preflight":
        return await this.#preflightVersions();
      case "openLedger":
        return await attempt(async () => {
          this.#session = await this.#options.target.openLedger(this.#plan);
        });
      case "applyAfter":
        return await this.#applyAfter();
      case "observeAfter":
        return await this.#observe("after");
      case "count":
        return await this.#count();
      case "closeLedger":
        return await this.#closeLedger();
      case "applyBefore":
        this.#options.onProgress({ kind: "restoring", reason: state.reason ?? "" });
        return this.#onWayBack(eventOf(await applyOrFail(this.#options, { plan: this.#plan, which: "before" })));
      case "observeBefore":
        return this.#onWayBack(await this.#observe("before"));
    }
  }

  #onWayBack(event: MoveEvent): MoveEvent {
    if (event.kind !== "passed") this.#notBackBecause = event.reason;
    return event;
  }

  result({ phase, reason }: MoveState): MoveResult {
    if (!isOutcome(phase)) throw new Error(`A move ended while it was ${phase}.`);
    return {
      id: this.#id ?? "",
      ok: phase === "done",
      outcome: phase,
      from: this.#plan.from,
      to: this.#plan.to,
      ...this.#proof,
      ledger: this.#ledger,
      plan: this.#plan,
      preflight: this.#preflight,
      message: this.#messageOf(reason),
    };
  }

  async #preflightVersions(): Promise<MoveEvent> {
    return await attempt(async () => {
      const report = await this.#options.target.preflight(this.#plan);
      this.#preflight = report;
      this.#options.onProgress({ kind: "preflight", report });
      if (report.ok) return undefined;
      const failed = report.checks.filter(({ verdict }) => verdict !== "pass");
      return failed.map(({ name, detail }) => `${name}: ${detail}`).join("; ") || "The target is not ready.";
    });
  }

  async #applyAfter(): Promise<MoveEvent> {
    this.#options.onProgress({ kind: "applying" });
    this.#session?.markCall(this.#options.clock.nowMs());
    const report = await applyOrFail(this.#options, { plan: this.#plan, which: "after" });
    if (report.kind === "proved") {
      this.#session?.markDone(this.#options.clock.nowMs());
      this.#provedAt = this.#now();
      const { callToProofMs, proxies, note } = report;
      this.#proof = { callToProofMs, proxies };
      if (note !== undefined) this.#notes.push(note);
      this.#options.onProgress({ kind: "proved", callToProofMs, proxies, ...(note !== undefined && { note }) });
    } else if (report.kind === "unproved") {
      this.#proof = { callToProofMs: null, proxies: report.proxies };
    }
    return eventOf(report);
  }

  async #observe(expected: "before" | "after"): Promise<MoveEvent> {
    return await attempt(async () => {
      const { target, clock, applyTimeoutMs } = this.#options;
      const sight = await observeChanges(this.#plan.changes, {
        target,
        clock,
        preferring: expected,
        patienceMs: timeoutOf(this.#plan, applyTimeoutMs),
      });
      if (sight === expected) return undefined;
      if (sight === "unseen") return "No proxy could be asked which weights are live.";
      return `The proxies show other weights than those ${expected} the move.`;
    });
  }

  async #count(): Promise<MoveEvent> {
    const { clock, settleMs, onProgress } = this.#options;
    onProgress({ kind: "counting", untilMs: clock.nowMs() + settleMs });
    await clock.sleep(settleMs);
    return { kind: "counted" };
  }

  async #closeLedger(): Promise<MoveEvent> {
    return await attempt(async () => {
      const session = this.#session;
      if (session === undefined) return "Requests were not counted.";
      this.#session = undefined;
      try {
        this.#ledger = (await session.close()) ?? null;
      } finally {
        await session[Symbol.asyncDispose]();
      }
      if (this.#ledger !== null) return faultOf(this.#ledger, this.#plan);
      const { uncounted = `${this.#options.target.name} gives no counts` } = session;
      this.#notes.push(`requests were not counted, because ${uncounted}`);
      return undefined;
    });
  }

  #record(effect: RecordEffect, reason: string | undefined): void {
    const at = this.#now();
    const plan = this.#plan;
    const id = this.#id ?? "";
    const outcome = {
      type: "outcome",
      id,
      at,
      by: "move",
      ...this.#proof,
      ...(this.#provedAt !== undefined && { provedAt: this.#provedAt }),
      ledger: this.#ledger,
      message: this.#messageOf(reason) ?? null,
    } as const;
    this.#id = this.#options.record((newId): JournalRecord => {
      switch (effect) {
        case "recordIntent":
          return { type: "intent", id: newId, at, plan };
        case "recordRefused":
          return { type: "refused", id: newId, at, startedAt: this.#startedAt, plan, message: reason ?? "" };
        case "recordRestoring":
          return { type: "restoring", id, at, reason: reason ?? "" };
        case "recordTurnedAway":
          return { ...outcome, outcome: "refused" };
        case "recordDone":
          return { ...outcome, outcome: "done" };
        case "recordUnproved":
          return { ...outcome, outcome: "unproved" };
        case "recordRestored":
          return { ...outcome, outcome: "restored" };
        case "recordStuck":
          return { ...outcome, outcome: "stuck" };
      }
    });
  }

  /** What went wrong is worth more than what could not be said for sure. */
  #messageOf(reason: string | undefined): string | undefined {
    if (reason !== undefined && this.#notBackBecause !== undefined) return describeStuck(reason, this.#notBackBecause);
    return reason ?? (this.#notes.length === 0 ? undefined : this.#notes.join("; "));
  }

  #now(): string {
    return new Date(this.#options.clock.nowMs()).toISOString();
  }
}

const outcomes: ReadonlySet<string> = new Set<MoveOutcome>(["done", "unproved", "refused", "restored", "stuck"]);

function isOutcome(phase: MovePhase): phase is MoveOutcome {
  return outcomes.has(phase);
}

/** Runs a step that a target may fail in any way; the text it returns, or throws, says why it failed. */
async function attempt(step: () => Promise<string | undefined | void>): Promise<MoveEvent> {
  try {
    const fault = await step();
    return typeof fault === "string" ? { kind: "failed", reason: fault } : { kind: "passed" };
  } catch (error) {
    return { kind: "failed", reason: errorText(error) };
  }
}

/** Why a ledger does not prove the move; undefined when it does. */
function faultOf(ledger: Ledger, { from }: MovePlan): string | undefined {
  if (!ledger.isComplete) return "Records of requests were lost, so the counts prove nothing.";
  if (ledger.failed > 0) return `${ledger.failed} of ${ledger.requests} requests failed: ${ledger.failures.join("; ")}`;
  if (ledger.oldAfterDone > 0) return `${ledger.oldAfterDone} requests begun after "done" were answered by ${from}.`;
  return undefined;
}
