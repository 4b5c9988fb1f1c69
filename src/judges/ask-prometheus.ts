import type { Condition, JudgeQuestion } from "../core/manifest/release.ts";
import type { JudgeAnswer } from "../core/release/check/check-progress.ts";
import { authorize, type ReadSecret } from "./authorize.ts";
import { describeComparison, meetsCondition } from "./meets-condition.ts";
import { oneLine } from "./one-line.ts";
import { type JudgeRequest, sendRequest } from "./send-request.ts";

export interface RequestOptions {
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  readonly readSecret: ReadSecret;
  readonly addresses?: JudgeRequest["addresses"];
}

/** Prometheus doc: "HTTP API", expression queries. */
interface QueryAnswer {
  readonly status?: unknown;
  readonly error?: unknown;
  readonly warnings?: unknown;
  readonly data?: { readonly resultType?: unknown; readonly result?: unknown };
}

/**
 * Asks a server that speaks Prometheus' HTTP API. All values that come back have to meet the condition; none at all, or
 * one that is no number, is no evidence.
 */
export async function askPrometheus(
  question: Extract<JudgeQuestion, { kind: "prometheus" }>,
  { timeoutMs, signal, readSecret, addresses }: RequestOptions,
): Promise<JudgeAnswer> {
  const { address, query, range, authentication, headers, success } = question;
  const proof = await authorize(authentication, readSecret);
  const parameters = new URLSearchParams({ query, timeout: `${timeoutMs}ms`, ...rangeOf(range) });
  const { status, body } = await sendRequest({
    url: `${address.replace(/\/+$/u, "")}/api/v1/${range === undefined ? "query" : "query_range"}`,
    method: "POST",
    headers: { ...headers, ...proof.headers, "content-type": "application/x-www-form-urlencoded" },
    body: parameters.toString(),
    timeoutMs,
    signal,
    addresses,
  });
  const answer = parseAnswer(body);
  if (answer?.status !== "success") {
    const why = typeof answer?.error === "string" ? `: ${oneLine(proof.hide(answer.error))}` : "";
    return { verdict: "unknown", detail: `Prometheus answered with status ${status}${why}` };
  }
  return withWarnings(judge(valuesOf(answer), success), proof.hide(firstOf(answer.warnings)));
}

function rangeOf(range: Extract<JudgeQuestion, { kind: "prometheus" }>["range"]): Record<string, string> {
  if (range === undefined) return {};
  const endMs = Date.now();
  return {
    start: String((endMs - range.durationMs) / 1_000),
    end: String(endMs / 1_000),
    step: String(range.stepMs / 1_000),
  };
}

function parseAnswer(body: string): QueryAnswer | undefined {
  try {
    const answer: unknown = JSON.parse(body);
    return typeof answer === "object" && answer !== null ? answer : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** Undefined for something that is no list of numbers, such as native histograms. */
function valuesOf({ data }: QueryAnswer): readonly number[] | undefined {
  const { resultType, result } = data ?? {};
  if (!Array.isArray(result)) return undefined;
  const samples = resultType === "scalar" ? [result] : result.flatMap((series: unknown) => samplesOf(series));
  const values = samples.map((sample: unknown) => (Array.isArray(sample) ? parseValue(sample[1]) : undefined));
  return values.every((value) => value !== undefined) ? values : undefined;
}

/** One of a vector has `value`, one of a matrix has `values`. */
function samplesOf(series: unknown): readonly unknown[] {
  if (typeof series !== "object" || series === null) return [undefined];
  if ("value" in series) return [series.value];
  return "values" in series && Array.isArray(series.values) ? series.values : [undefined];
}

function parseValue(text: unknown): number | undefined {
  if (typeof text !== "string") return undefined;
  if (text === "NaN") return Number.NaN;
  if (/^[-+]?Inf$/u.test(text)) return text.startsWith("-") ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  const value = Number(text);
  return text === "" || Number.isNaN(value) ? undefined : value;
}

function judge(values: readonly number[] | undefined, success: Condition): JudgeAnswer {
  if (values === undefined) return { verdict: "unknown", detail: "the query gives no plain numbers" };
  const bad = values.find((value) => !Number.isNaN(value) && !meetsCondition(value, success));
  if (bad !== undefined) return { verdict: "fail", detail: describeComparison(bad, success) + among(values.length) };
  const [first] = values;
  if (first === undefined) return { verdict: "unknown", detail: "the query found nothing" };
  if (values.some((value) => Number.isNaN(value))) return { verdict: "unknown", detail: "the query gives NaN" };
  return { verdict: "pass", detail: describeComparison(first, success) + among(values.length) };
}

function among(count: number): string {
  return count === 1 ? "" : ` (one of ${count} values)`;
}

/** A server that could ask only some of its stores says so, and its answer is still an answer. */
function withWarnings(answer: JudgeAnswer, warning: string): JudgeAnswer {
  return warning === "" ? answer : { ...answer, detail: `${answer.detail}, with the warning: ${oneLine(warning)}` };
}

function firstOf(warnings: unknown): string {
  return Array.isArray(warnings) && warnings.length > 0 ? String(warnings[0]) : "";
}
