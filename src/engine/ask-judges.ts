import { errorText } from "../core/diagnostics/error-text.ts";
import type { JudgeAnswer, JudgeProgress, JudgeTally } from "../core/release/check/check-progress.ts";
import { fillTemplates, type TemplateValues } from "../core/release/plan/fill-templates.ts";
import type { Judgement } from "../core/release/check/judge-version.ts";
import { addAnswer, concludeTally, nothingAsked } from "../core/release/check/tally-answers.ts";
import type { ExternalJudge, JudgeQuestion } from "../core/manifest/release.ts";
import type { AskJudge } from "./ports.ts";

export interface AskedJudges {
  readonly judges: readonly ExternalJudge[];
  readonly values: TemplateValues;
  readonly ask: AskJudge;
  /** When the check begins, in milliseconds since the epoch. */
  readonly fromMs: number;
  readonly signal: AbortSignal;
  /** An answer has come. */
  onAnswer(): void;
}

interface JudgeState {
  readonly judge: ExternalJudge;
  readonly question: JudgeQuestion;
  tally: JudgeTally;
  dueMs: number;
  isAsked: boolean;
}

/** The external judges of one check. Each is asked at its own times, and never again before it has answered. */
export class JudgePanel {
  readonly #options: AskedJudges;
  readonly #states: readonly JudgeState[];

  constructor(options: AskedJudges) {
    this.#options = options;
    this.#states = options.judges.map((judge) => ({
      judge,
      question: fillTemplates(judge.ask, options.values),
      tally: nothingAsked,
      dueMs: options.fromMs + judge.initialDelayMs,
      isAsked: false,
    }));
  }

  /** Asks those whose time has come, and waits for none of them. */
  askDue(nowMs: number, isOver: boolean): void {
    for (const state of this.#states) {
      if (state.isAsked || state.dueMs > nowMs || concludeTally(state.judge, state.tally, isOver) !== undefined)
        continue;
      state.isAsked = true;
      // From one question to the next, however long the answer took.
      state.dueMs = Math.max(nowMs, state.dueMs) + state.judge.intervalMs;
      void this.#ask(state);
    }
  }

  /** When the next one is to be asked; undefined while all of them are busy or have ended. */
  nextDueMs(isOver: boolean): number | undefined {
    const waiting = this.#states.filter(
      ({ judge, tally, isAsked }) => !isAsked && concludeTally(judge, tally, isOver) === undefined,
    );
    return waiting.length === 0 ? undefined : Math.min(...waiting.map(({ dueMs }) => dueMs));
  }

  /** One a judge that counts, and of those in a dry run where they are asked for; undefined while it is still asked. */
  conclusions(isOver: boolean, which: "counting" | "dryRun"): readonly (Judgement | undefined)[] {
    return (
      this.#states
        .filter(({ judge }) => judge.isDryRun === (which === "dryRun"))
        // A question that was put before the time was over is still part of it.
        .map(({ judge, tally, isAsked }) => concludeTally(judge, tally, isOver && !isAsked))
    );
  }

  progress(isOver: boolean): readonly JudgeProgress[] {
    return this.#states.map(({ judge, tally }) => ({
      name: judge.name,
      kind: judge.ask.kind,
      isDryRun: judge.isDryRun,
      ...tally,
      verdict: concludeTally(judge, tally, isOver)?.verdict,
    }));
  }

  async #ask(state: JudgeState): Promise<void> {
    const { ask, signal, values } = this.#options;
    const { timeoutMs } = state.judge;
    const answer = await ask(state.question, { timeoutMs, signal, values }).catch((error: unknown): JudgeAnswer => ({
      verdict: "unknown",
      detail: errorText(error),
    }));
    if (signal.aborted) return;
    state.tally = addAnswer(state.tally, answer);
    state.isAsked = false;
    this.#options.onAnswer();
  }
}
