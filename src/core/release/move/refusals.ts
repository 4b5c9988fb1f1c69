import { KirikaeError, type KirikaeErrorOptions } from "../../diagnostics/error.ts";

/** The answer to a request that cannot be planned. Nothing was changed. */
export interface Refusal {
  readonly kind: "refused";
  readonly error: KirikaeError;
}

/** Refuses because of what was asked: exit status 2. */
export function refuseInput(code: string, message: string, options: Omit<KirikaeErrorOptions, "exitStatus">): Refusal {
  return { kind: "refused", error: new KirikaeError(code, message, { ...options, exitStatus: 2 }) };
}

/** Refuses because of how things are: exit status 1. */
export function refuseState(code: string, message: string, options: Omit<KirikaeErrorOptions, "exitStatus">): Refusal {
  return { kind: "refused", error: new KirikaeError(code, message, { ...options, exitStatus: 1 }) };
}

/** `a, b and c`; says so when there is none, and how many were left out when there are very many. */
export function renderList(names: readonly string[], limit = 20): string {
  if (names.length === 0) return "none";
  if (names.length > limit) return `${names.slice(0, limit).join(", ")} and ${names.length - limit} more`;
  if (names.length === 1) return `${names[0]}`;
  return `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;
}

/** `rule 2 (api)`, or `rule 2` where it has no name. Rules count from 0. */
export function renderRule({
  rule,
  ruleName,
}: {
  readonly rule: number;
  readonly ruleName: string | undefined;
}): string {
  return ruleName === undefined ? `rule ${rule}` : `rule ${rule} (${ruleName})`;
}
