import type { Ledger, MovePlan } from "../core/release/move/move.ts";
import { isSameShare, totalWeight } from "../core/release/move/split-weights.ts";
import type { SplitId, SplitWeights, WeightOverrides } from "../core/routes/route-table.ts";
import type {
  ApplyOptions,
  ApplyReport,
  Clock,
  LedgerSession,
  ObservedSplit,
  PreflightReport,
  Target,
} from "../engine/ports.ts";

/** What the next applies do; `obey` is what a healthy proxy does. */
export type ApplyBehaviour =
  | { readonly kind: "obey" }
  /** Refuses, as a proxy does with a NACK: what ran before still runs. */
  | { readonly kind: "reject"; readonly message: string; readonly isUntouched?: true }
  /** Takes the weights, but so late that the proof does not come in time. */
  | { readonly kind: "slow"; readonly durationMs: number }
  /** Takes the first of several splits only, and proves nothing. */
  | { readonly kind: "partial" }
  /** Takes the weights, but one proxy cannot be asked: what becomes of the proof is for the caller to say. */
  | { readonly kind: "unreachable"; readonly proxy: string };

export interface RecordingOptions {
  readonly clock: Clock;
  /** Every split there is, with its weights. */
  readonly splits: WeightOverrides;
  readonly name?: string;
  /** Whether requests can be counted; absent is yes. */
  readonly counts?: boolean | string;
}

/** A target without proxies: it keeps weights in memory and writes down what it was asked to do. */
export class RecordingTarget implements Target {
  readonly name: string;
  /** Every apply, in the order in which they took effect. */
  readonly applied: WeightOverrides[] = [];
  readonly #clock: Clock;
  readonly #counts: boolean | string;
  readonly #weights: Map<SplitId, SplitWeights>;
  readonly #sessions = new Set<RecordingLedger>();
  #behaviours: ApplyBehaviour[] = [];
  #isVisible = true;
  #preflight: PreflightReport = { ok: true, checks: [] };
  #queue: Promise<unknown> = Promise.resolve();

  constructor({ clock, splits, name = "recording", counts = true }: RecordingOptions) {
    this.name = name;
    this.#counts = counts;
    this.#clock = clock;
    this.#weights = new Map(splits);
  }

  /** Says what the next applies do, one each; later ones obey. */
  behave(...behaviours: readonly ApplyBehaviour[]): void {
    this.#behaviours = [...behaviours];
  }

  /** Whether there is a proxy that `observe` can ask. */
  setVisible(isVisible: boolean): void {
    this.#isVisible = isVisible;
  }

  setPreflight(report: PreflightReport): void {
    this.#preflight = report;
  }

  /** Changes what is live behind the target's back, as another writer would. */
  overwrite(split: SplitId, weights: SplitWeights): void {
    this.#weights.set(split, weights);
  }

  /** What is live, of every split. */
  weights(): readonly (readonly [SplitId, SplitWeights])[] {
    return [...this.#weights];
  }

  /** Sends one request into every open ledger, answered by the destination. */
  countRequest(request: RecordedRequest): void {
    for (const session of this.#sessions) session.count(request);
  }

  async preflight(): Promise<PreflightReport> {
    return this.#preflight;
  }

  async apply(weights: WeightOverrides, options: ApplyOptions): Promise<ApplyReport> {
    const turn = this.#queue.then(async () => await this.#applyNow(weights, options));
    // The next one waits for this one, however it ends.
    this.#queue = turn.catch(() => undefined);
    return await turn;
  }

  async observe(splits: readonly SplitId[]): Promise<readonly ObservedSplit[]> {
    return splits.map((split) => ({ split, weights: this.#isVisible ? this.#weights.get(split) : undefined }));
  }

  async openLedger(plan: MovePlan): Promise<LedgerSession> {
    const session = new RecordingLedger(plan, {
      counts: this.#counts,
      onClose: (closed) => this.#sessions.delete(closed),
    });
    this.#sessions.add(session);
    return session;
  }

  async #applyNow(weights: WeightOverrides, options: ApplyOptions): Promise<ApplyReport> {
    const { timeoutMs } = options;
    const calledAt = this.#clock.nowMs();
    const behaviour = this.#behaviours.shift() ?? { kind: "obey" };
    const fault = this.#faultOf(weights);
    if (fault !== undefined)
      return { kind: "rejected", node: this.name, resource: fault.split, message: fault.message };

    switch (behaviour.kind) {
      case "reject":
        return { ...behaviour, kind: "rejected", node: this.name, resource: "weights" };
      case "partial":
        this.#take(new Map([...weights].slice(0, 1)));
        return { kind: "unproved", proxies: [], message: "Only a part of the weights was taken." };
      case "slow":
        await this.#clock.sleep(Math.min(behaviour.durationMs, timeoutMs));
        this.#take(weights);
        if (behaviour.durationMs > timeoutMs) {
          return { kind: "unproved", proxies: [], message: `Nothing was proved in ${timeoutMs} ms.` };
        }
        return this.#proved(calledAt);
      case "unreachable":
        return await this.#provedButFor(behaviour.proxy, { weights, calledAt, options });
      case "obey":
        this.#take(weights);
        return this.#proved(calledAt);
    }
  }

  async #provedButFor(
    proxy: string,
    { weights, calledAt, options: { timeoutMs, unreachable, onProgress } }: UnreachableApply,
  ): Promise<ApplyReport> {
    const note = `1 of 2 proxies confirmed; ${proxy} unreachable`;
    this.#take(weights);
    if (unreachable === "goOn") return { ...this.#proved(calledAt), note };
    onProgress?.(note);
    await this.#clock.sleep(timeoutMs);
    return { kind: "unproved", proxies: [], message: note };
  }

  #faultOf(weights: WeightOverrides): { readonly split: SplitId; readonly message: string } | undefined {
    for (const [split, next] of weights) {
      if (!this.#weights.has(split)) return { split, message: "There is no such split." };
      if (totalWeight(next) === 0) return { split, message: "All weights are 0, so requests would get 404." };
    }
    return undefined;
  }

  #take(weights: WeightOverrides): void {
    this.applied.push(weights);
    for (const [split, next] of weights) this.#weights.set(split, next);
  }

  #proved(calledAt: number): Extract<ApplyReport, { kind: "proved" }> {
    const callToProofMs = this.#clock.nowMs() - calledAt;
    return {
      kind: "proved",
      callToProofMs,
      proxies: [{ node: this.name, ackMs: callToProofMs, workersMs: callToProofMs }],
    };
  }
}

interface UnreachableApply {
  readonly weights: WeightOverrides;
  readonly calledAt: number;
  readonly options: ApplyOptions;
}

export interface RecordedRequest {
  readonly split: SplitId;
  readonly destination: string;
  readonly startedAtMs: number;
  readonly endedAtMs: number;
  readonly status: number;
}

interface LedgerOptions {
  readonly counts: boolean | string;
  readonly onClose: (session: RecordingLedger) => void;
}

class RecordingLedger implements LedgerSession {
  readonly #plan: MovePlan;
  readonly #options: LedgerOptions;
  readonly #requests: RecordedRequest[] = [];
  #calledAt = Number.POSITIVE_INFINITY;
  #doneAt = Number.POSITIVE_INFINITY;

  constructor(plan: MovePlan, options: LedgerOptions) {
    this.#plan = plan;
    this.#options = options;
  }

  get uncounted(): string | undefined {
    const { counts } = this.#options;
    return typeof counts === "string" ? counts : undefined;
  }

  count(request: RecordedRequest): void {
    this.#requests.push(request);
  }

  markCall(atMs: number): void {
    this.#calledAt = atMs;
  }

  markDone(atMs: number): void {
    this.#doneAt = atMs;
  }

  async close(): Promise<Ledger | undefined> {
    this.#options.onClose(this);
    if (this.#options.counts !== true) return undefined;
    const failures = this.#requests.filter(({ status }) => status >= 500);
    const old = this.#requests.filter((request) => this.#isOld(request));
    const lastOld = Math.max(...old.map(({ endedAtMs }) => endedAtMs - this.#calledAt));
    const byVersion: Record<string, number> = {};
    for (const { name } of this.#plan.versions) byVersion[name] = 0;
    for (const { destination } of this.#requests) {
      const version =
        this.#plan.versions.find(({ destinations }) => destinations.includes(destination))?.name ?? "other";
      byVersion[version] = (byVersion[version] ?? 0) + 1;
    }
    return {
      requests: this.#requests.length,
      ok: this.#requests.length - failures.length,
      failed: failures.length,
      byVersion,
      lastOldMs: lastOld > 0 ? lastOld : null,
      oldAfterDone: old.filter(({ startedAtMs }) => startedAtMs > this.#doneAt).length,
      clientGone: 0,
      failures: failures.slice(0, 10).map(({ destination, status }) => `${status} from ${destination}`),
      isComplete: true,
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#options.onClose(this);
  }

  /** Answered by an arm that the plan takes all traffic from. */
  #isOld({ split, destination }: RecordedRequest): boolean {
    const change = this.#plan.changes.find((candidate) => candidate.split === split);
    if (change === undefined || isSameShare(change.before, change.after)) return false;
    return (change.before[destination] ?? 0) > 0 && (change.after[destination] ?? 0) === 0;
  }
}
