import type { AnswerComparison } from "../../manifest/release.ts";
import { findDifference } from "./find-difference.ts";

/** What a version answered, as far as it is compared. */
export interface ComparedAnswer {
  readonly status: number;
  /** Keys in lower case; several of one name joined by a comma. */
  readonly headers: Readonly<Record<string, string>>;
  /** A hash over all bytes of the body. */
  readonly bodyHash: string;
  /** The whole body; undefined where it was too long to be kept. */
  readonly body: string | undefined;
}

/** Where two answers differ. What they said there is left out: it may be anybody's. */
export type AnswerDifference =
  | { readonly kind: "status" }
  | { readonly kind: "header"; readonly name: string }
  /** The first member of the JSON that differs, as `a.0.b`; null where bodies were compared as bytes. */
  | { readonly kind: "body"; readonly field: string | null };

export type ComparisonResult =
  | { readonly kind: "same" }
  | { readonly kind: "different"; readonly differences: readonly AnswerDifference[] }
  /** Nothing else differs, and the bodies were too long to be compared member by member. */
  | { readonly kind: "tooLong" };

/**
 * Compares the status always, and what is named. JSON bodies are compared by what they say, so that neither the order of
 * members nor white space counts; where one of the two is no JSON, their bytes are.
 */
export function compareAnswers(
  live: ComparedAnswer,
  fresh: ComparedAnswer,
  comparison: AnswerComparison,
): ComparisonResult {
  const differences: AnswerDifference[] = [];
  if (live.status !== fresh.status) differences.push({ kind: "status" });
  for (const name of comparison.headers) {
    if (live.headers[name] !== fresh.headers[name]) differences.push({ kind: "header", name });
  }
  const body = comparison.body ? compareBodies(live, fresh, comparison.ignoredFields) : "same";
  if (typeof body === "object") differences.push(body);
  if (differences.length > 0) return { kind: "different", differences };
  return { kind: body === "tooLong" ? "tooLong" : "same" };
}

function compareBodies(
  live: ComparedAnswer,
  fresh: ComparedAnswer,
  ignoredFields: readonly string[],
): AnswerDifference | "same" | "tooLong" {
  if (live.bodyHash === fresh.bodyHash) return "same";
  if (!isJson(live) || !isJson(fresh)) return { kind: "body", field: null };
  if (live.body === undefined || fresh.body === undefined) return "tooLong";
  const one = parseJson(live.body);
  const other = parseJson(fresh.body);
  if (one === undefined || other === undefined) return { kind: "body", field: null };
  const ignored = ignoredFields.map((path) => path.split("."));
  const field = findDifference(one.value, other.value, ignored);
  return field === undefined ? "same" : { kind: "body", field };
}

/** `application/json`, and what is written in JSON by its suffix: RFC 6839, section 3.1. */
function isJson({ headers }: ComparedAnswer): boolean {
  return /^application\/(?:[^;\s]+\+)?json\s*(?:;|$)/i.test(headers["content-type"] ?? "");
}

/** Each takes all that it can at once: in JSON, which ends its strings, the time is linear. */
const stringOrNumber = /"[^"\\]*(?:\\.[^"\\]*)*"|-?\d[\d.eE+-]*/gsu;

/** Integers that are too long to be exact, as ids of 64 bits are, are read as text: two of them would be the same. */
function parseJson(text: string): { readonly value: unknown } | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (!/\d{16}/u.test(text)) return { value };
    const exact = text.replaceAll(stringOrNumber, (found) => (/^-?\d{16,}$/u.test(found) ? `"${found}"` : found));
    return { value: JSON.parse(exact) };
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
