import type { AnswerComparison } from "../../manifest/release.ts";

/** What is compared of the answers to copied requests, in words that follow "kirikae". */
export function describeComparison(
  { headers, body, ignoredFields }: AnswerComparison,
  methods: readonly string[],
): string {
  const ignored = ignoredFields.length === 0 ? "" : ` without ${ignoredFields.join(", ")}`;
  const parts = ["status", ...headers, ...(body ? [`body${ignored}`] : [])];
  const once = methods.filter((method) => !isSafe(method));
  const compared = `compares ${parts.join(", ")} of both versions' answers`;
  return once.length === 0 ? compared : `${compared}; ${once.join(", ")} is sent to the new version alone`;
}

/** Asking twice changes nothing: RFC 9110, section 9.2.1. TRACE is not sent by anybody who means well. */
export function isSafe(method: string): boolean {
  return method === "GET" || method === "HEAD" || method === "OPTIONS";
}
