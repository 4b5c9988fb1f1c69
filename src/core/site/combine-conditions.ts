import { compileRegex } from "../manifest/regex.ts";
import { matchesWhole } from "../routes/route-regex.ts";
import type { ValueMatch } from "../routes/route-table.ts";
import { asObject, asText, type JsonObject } from "./json-value.ts";

/** One condition that says what two said; `never` where no value meets both, `unsayable` where Istio has no words for it. */
export type Combined =
  | { readonly kind: "condition"; readonly value: ValueMatch }
  | { readonly kind: "never" }
  | { readonly kind: "unsayable" };

/** A VirtualService has one condition for each header and each query parameter of a match. */
export function combineConditions(one: ValueMatch, other: ValueMatch): Combined {
  if (one.kind === "present" || isSame(one, other)) return { kind: "condition", value: other };
  if (other.kind === "present") return { kind: "condition", value: one };
  if (one.kind === "exact") return meets(one.value, other) ? { kind: "condition", value: one } : { kind: "never" };
  if (other.kind === "exact") return meets(other.value, one) ? { kind: "condition", value: other } : { kind: "never" };
  if (one.kind !== "prefix" || other.kind !== "prefix") return { kind: "unsayable" };
  const [short, long] = one.value.length < other.value.length ? [one, other] : [other, one];
  return long.value.startsWith(short.value) ? { kind: "condition", value: long } : { kind: "never" };
}

/** Whether a value meets a condition; a regex has to match all of it, and one that is none matches nothing. */
export function meets(text: string, condition: ValueMatch): boolean {
  switch (condition.kind) {
    case "present":
      return true;
    case "exact":
      return text === condition.value;
    case "prefix":
      return text.startsWith(condition.value);
    case "regex":
      return !(compileRegex(condition.value) instanceof Error) && matchesWhole(condition.value, text);
  }
}

/** As a VirtualService says it. `{}` and the regex `*` ask only that it is there. */
export function readCondition(value: unknown): ValueMatch {
  const written = asObject(value);
  for (const kind of ["exact", "prefix", "regex"] as const) {
    const text = written[kind];
    if (typeof text === "string" && !(kind === "regex" && text === "*")) return { kind, value: text };
  }
  return { kind: "present" };
}

/** The opposite of `readCondition`. */
export function writeCondition(condition: ValueMatch): JsonObject {
  return condition.kind === "present" ? {} : { [condition.kind]: condition.value };
}

/** The name under which a map of conditions has a header; they are compared without regard to case (RFC 9110, 5.1). */
export function findHeader(conditions: JsonObject, name: string): string | undefined {
  return Object.keys(conditions).find((key) => asText(key)?.toLowerCase() === name.toLowerCase());
}

/** The name under which a map of conditions has a query parameter, which is another one in another case. */
export function findQueryParameter(conditions: JsonObject, name: string): string | undefined {
  return Object.hasOwn(conditions, name) ? name : undefined;
}

function isSame(one: ValueMatch, other: ValueMatch): boolean {
  return one.kind === other.kind && (one.kind === "present" || other.kind === "present" || one.value === other.value);
}
