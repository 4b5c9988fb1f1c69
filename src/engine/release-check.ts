import type { CheckProgress, CheckResult, ComparedAnswers } from "../core/release/check/check-progress.ts";
import {
  addGrowth,
  checkedDestinations,
  type CountersByDestination,
  nothingCounted,
} from "../core/release/plan/count-versions.ts";
import { templateValues } from "../core/release/plan/fill-templates.ts";
import {
  type CheckedVersions,
  type Judgement,
  judgeVersion,
  summarizeVersion,
} from "../core/release/check/judge-version.ts";
import type { Check } from "../core/manifest/release.ts";
import type { ReleasePlan } from "../core/release/plan/plan-release.ts";
import type { DestinationId } from "../core/routes/route-table.ts";
import { JudgePanel } from "./ask-judges.ts";
import type { AskJudge, Clock } from "./ports.ts";

export type { CountersByDestination } from "../core/release/plan/count-versions.ts";

export interface CheckSources {
  /** Of these destinations; undefined while a proxy cannot be asked. */
  counters(destinations: ReadonlySet<DestinationId>): Promise<CountersByDestination | undefined>;
  /** What came of copied requests since the release began to copy; undefined where none are compared. */
  comparedAnswers?(plan: ReleasePlan): ComparedAnswers | undefined;
  readonly ask: AskJudge;
}

export interface CheckOptions {
  readonly plan: ReleasePlan;
  readonly check: Check;
  readonly sources: CheckSources;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  onProgress(progress: CheckProgress): void;
}

export interface CheckOutcome extends Judgement {
  readonly results: readonly CheckResult[];
}

const lookEveryMs = 1_000;

/** How long after its time a check waits for a proxy that does not answer: one that ended is back by then. */
const patienceMs = 30_000;

/**
 * Counts from now, asks the judges and judges; undefined when it was told to stop. It fails as soon as one of them does,
 * and ends when its time is over and all have come to something.
 */
export async function runCheck(options: CheckOptions): Promise<CheckOutcome | undefined> {
  const { check, clock, signal } = options;
  using run = new CheckRun(options);
  if (check.initialDelayMs > 0) await sleepUntil(clock.nowMs() + check.initialDelayMs, options);
  if (signal.aborted) return undefined;
  await run.begin();
  while (!signal.aborted) {
    await run.next();
    if (signal.aborted) return undefined;
    const outcome = run.conclude();
    if (outcome !== undefined) return outcome;
  }
  return undefined;
}

/** A check that is told to stop is not kept for the whole of a long delay. */
async function sleepUntil(untilMs: number, { clock, signal }: CheckOptions): Promise<void> {
  for (let leftMs = untilMs - clock.nowMs(); leftMs > 0 && !signal.aborted; leftMs = untilMs - clock.nowMs()) {
    await clock.sleep(Math.min(lookEveryMs, leftMs));
  }
}

const unseen: Judgement = { verdict: "unknown", detail: "the proxies could not be asked what they have counted" };

/** One check under way. Disposing it asks nobody any more. */
class CheckRun implements Disposable {
  readonly #options: CheckOptions;
  readonly #destinations: ReturnType<typeof checkedDestinations>;
  readonly #stop = new AbortController();
  #panel: JudgePanel | undefined;
  #fromMs: number;
  #before: CountersByDestination | undefined;
  #answersBefore: ComparedAnswers | undefined;
  #seen: CheckedVersions = { fresh: nothingCounted, live: nothingCounted };
  #figures: Judgement | undefined;
  #lastLookMs = 0;
  #wake: () => void = () => {};
  /** What a check in a dry run would have come to, had it counted. */
  #dryRun: Judgement | undefined;

  constructor(options: CheckOptions) {
    this.#options = options;
    this.#destinations = checkedDestinations(options.plan);
    this.#fromMs = options.clock.nowMs() + options.check.initialDelayMs;
  }

  async begin(): Promise<void> {
    const { plan, check, clock, sources, signal } = this.#options;
    this.#before = await this.#counters();
    this.#answersBefore = sources.comparedAnswers?.(plan);
    this.#fromMs = clock.nowMs();
    this.#lastLookMs = this.#fromMs;
    this.#panel = new JudgePanel({
      judges: check.judges,
      values: templateValues(plan, check),
      ask: sources.ask,
      fromMs: this.#fromMs,
      signal: AbortSignal.any([signal, this.#stop.signal]),
      onAnswer: () => this.#wake(),
    });
    this.#tell();
  }

  /** Waits for the next look or answer, and takes it. */
  async next(): Promise<void> {
    const { clock, signal } = this.#options;
    const panel = this.#panel;
    panel?.askDue(clock.nowMs(), this.#isOver());
    await this.#pause();
    if (signal.aborted) return;
    if (clock.nowMs() >= this.#lastLookMs + lookEveryMs || this.#isOver()) await this.#look();
    this.#tell();
  }

  /** Undefined while it goes on. */
  conclude(): CheckOutcome | undefined {
    const isOver = this.#isOver();
    const counting = this.#panel?.conclusions(isOver, "counting") ?? [];
    const all = [this.#figures, ...counting];
    const known = all.filter((judgement) => judgement !== undefined);
    const worst = findWorst(known);
    const hasEnded = isOver && known.length === all.length;
    if (this.#options.check.isDryRun) {
      this.#dryRun = findWorst([this.#dryRun, worst].filter((judgement) => judgement !== undefined));
      return hasEnded ? this.#outcome(this.#dryRunJudgement(known)) : undefined;
    }
    // What the figures do not tell at the end, another judge may still tell.
    const isSilent = counting.some((judgement) => judgement?.verdict === "unknown");
    if (worst?.verdict === "fail" || isSilent || hasEnded) return this.#outcome(worst ?? passOf(known));
    return undefined;
  }

  [Symbol.dispose](): void {
    this.#stop.abort();
  }

  /** Until the next look, question or answer, whatever comes first. */
  async #pause(): Promise<void> {
    const { clock } = this.#options;
    const nowMs = clock.nowMs();
    const ends = [this.#lastLookMs + lookEveryMs, this.#panel?.nextDueMs(this.#isOver()), this.#endMs].filter(
      (atMs) => atMs !== undefined && atMs > nowMs,
    );
    const answered = Promise.withResolvers<void>();
    this.#wake = answered.resolve;
    const leftMs = Math.min(lookEveryMs, ...ends.map((atMs) => (atMs ?? nowMs) - nowMs));
    await Promise.race([clock.sleep(leftMs), answered.promise]);
  }

  get #endMs(): number {
    return this.#fromMs + this.#options.check.durationMs;
  }

  #isOver(): boolean {
    return this.#options.clock.nowMs() >= this.#endMs;
  }

  #counters(): Promise<CountersByDestination | undefined> {
    const { fresh, live } = this.#destinations;
    return this.#options.sources.counters(new Set([...fresh, ...live]));
  }

  /** A look that a proxy does not answer is left out: one that is busy or starts again says nothing of the version. */
  async #look(): Promise<void> {
    const { plan, check, clock, sources, signal } = this.#options;
    const now = await this.#counters();
    this.#lastLookMs = clock.nowMs();
    if (signal.aborted) return;
    if (now === undefined) {
      if (clock.nowMs() >= this.#endMs + patienceMs) this.#figures = unseen;
      return;
    }
    // What was counted before the first look is not of this check.
    const before = this.#before ?? now;
    this.#before = now;
    const { fresh, live } = this.#destinations;
    this.#seen = {
      fresh: addGrowth(this.#seen.fresh, { before, now, destinations: fresh }),
      live: addGrowth(this.#seen.live, { before, now, destinations: live }),
      answers: since(this.#answersBefore, sources.comparedAnswers?.(plan)),
    };
    this.#figures = judgeVersion(check, this.#seen, this.#isOver());
  }

  #tell(): void {
    const { check } = this.#options;
    this.#options.onProgress({
      fromMs: this.#fromMs,
      untilMs: this.#endMs,
      isDryRun: check.isDryRun,
      fresh: summarizeVersion(check, this.#seen.fresh),
      live: summarizeVersion(check, this.#seen.live),
      answers: this.#seen.answers,
      judges: this.#panel?.progress(this.#isOver()) ?? [],
    });
  }

  #dryRunJudgement(known: readonly Judgement[]): Judgement {
    const bad = this.#dryRun;
    if (bad === undefined) return passOf(known);
    const wouldBe = bad.verdict === "fail" ? "would have failed" : "would not have known";
    return { verdict: "pass", detail: `it is a dry run, which ${wouldBe}: ${bad.detail}` };
  }

  #outcome({ verdict, detail }: Judgement): CheckOutcome {
    const isOver = this.#isOver();
    const told = (this.#panel?.conclusions(isOver, "dryRun") ?? []).flatMap((judgement) =>
      judgement === undefined || judgement.verdict === "pass" ? [] : [`; in a dry run, ${judgement.detail}`],
    );
    return { verdict, detail: `${detail}${told.join("")}`, results: this.#results(isOver) };
  }

  #results(isOver: boolean): readonly CheckResult[] {
    const { check } = this.#options;
    const { verdict, detail } = this.#figures ?? { verdict: "unknown", detail: "its time was not over" };
    const { fresh, live, answers } = this.#seen;
    const judges = (this.#panel?.progress(isOver) ?? []).map((judge) => ({
      ...judge,
      kind: "judge" as const,
      verdict: judge.verdict ?? "unknown",
    }));
    const figures = { fresh: summarizeVersion(check, fresh), live: summarizeVersion(check, live) };
    return [{ kind: "figures", verdict, detail, ...figures, ...(answers === undefined ? {} : { answers }) }, ...judges];
  }
}

/** A failure, or else what is not known. */
function findWorst(known: readonly Judgement[]): Judgement | undefined {
  return known.find(({ verdict }) => verdict === "fail") ?? known.find(({ verdict }) => verdict === "unknown");
}

function passOf(known: readonly Judgement[]): Judgement {
  return { verdict: "pass", detail: known.map(({ detail }) => detail).join(", and ") };
}

function since(before: ComparedAnswers | undefined, now: ComparedAnswers | undefined): ComparedAnswers | undefined {
  if (now === undefined || before === undefined || now.compared < before.compared) return now;
  return { compared: now.compared - before.compared, different: Math.max(0, now.different - before.different) };
}
