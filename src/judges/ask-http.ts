import type { JudgeQuestion } from "../core/manifest/release.ts";
import type { JudgeAnswer } from "../core/release/check/check-progress.ts";
import type { RequestOptions } from "./ask-prometheus.ts";
import { authorize } from "./authorize.ts";
import { describeComparison, meetsCondition } from "./meets-condition.ts";
import { sendRequest } from "./send-request.ts";

type HttpQuestion = Extract<JudgeQuestion, { kind: "http" }>;

/** Of a server that is busy, or of a proxy before one that is away (RFC 6585 and 9110): the judge itself said nothing. */
const notTheJudge: ReadonlySet<number> = new Set([429, 502, 503, 504]);

/** Asks a server: by a number in its JSON where one is named, else by its status alone. */
export async function askHttp(
  question: HttpQuestion,
  { timeoutMs, signal, readSecret, addresses }: RequestOptions,
): Promise<JudgeAnswer> {
  const { url, method, headers, body, authentication, value } = question;
  const proof = await authorize(authentication, readSecret);
  const isJson = body !== undefined && /^\s*[{[]/u.test(body);
  const type = isJson ? { "content-type": "application/json" } : {};
  const sent = { ...type, ...lowerCase(headers), ...proof.headers };
  const answer = await sendRequest({ url, method, headers: sent, body, timeoutMs, signal, addresses });
  const detail = `the status is ${answer.status}`;
  const isGood = answer.status >= 200 && answer.status < 300;
  if (answer.status >= 300 && answer.status < 400) {
    return { verdict: "unknown", detail: `${detail}, and redirects are not followed` };
  }
  if (!isGood) return { verdict: value !== undefined || notTheJudge.has(answer.status) ? "unknown" : "fail", detail };
  return value === undefined ? { verdict: "pass", detail } : judgeValue(answer.body, value);
}

function lowerCase(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, text]) => [name.toLowerCase(), text]));
}

function judgeValue(body: string, { path, success }: NonNullable<HttpQuestion["value"]>): JudgeAnswer {
  const found = numberAt(body, path);
  if (typeof found === "string") return { verdict: "unknown", detail: found };
  return { verdict: meetsCondition(found, success) ? "pass" : "fail", detail: describeComparison(found, success) };
}

/** The number at `a.b.0`, or in words why there is none. */
function numberAt(body: string, path: string): number | string {
  let at: unknown;
  try {
    at = JSON.parse(body);
  } catch (error) {
    if (error instanceof SyntaxError) return "the answer is no JSON";
    throw error;
  }
  for (const key of path.split(".")) {
    if (typeof at !== "object" || at === null || !Object.hasOwn(at, key)) return `the answer has no ${path}`;
    at = Object.entries(at).find(([name]) => name === key)?.[1];
  }
  if (typeof at === "boolean") return at ? 1 : 0;
  const value = typeof at === "string" && at.trim() !== "" ? Number(at) : at;
  return typeof value === "number" && Number.isFinite(value) ? value : `${path} of the answer is no number`;
}
