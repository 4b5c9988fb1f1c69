import { escapeRegex } from "../routes/escape-regex.ts";
import { renderCookiesPattern } from "../routes/cookie-pattern.ts";
import type { RequestMark } from "../routes/route-addition.ts";
import type { ValueMatch } from "../routes/route-table.ts";
import {
  combineConditions,
  findHeader,
  findQueryParameter,
  meets,
  readCondition,
  writeCondition,
} from "./combine-conditions.ts";
import { asList, asObject, type JsonObject } from "./json-value.ts";
import { refuseWrite, type SiteRefusal } from "./refuse-site.ts";

/** Conditions of a route of kirikae's own: those of the rule and more. Empty where no request could meet them. */
export type OwnMatches = { readonly kind: "matches"; readonly match: readonly JsonObject[] } | SiteRefusal;

/** More cookies than this are more orders than a regular expression holds. */
const maximumCookies = 3;

/** Every condition of the rule with every mark. */
export function markMatches(rule: JsonObject, marks: readonly RequestMark[]): OwnMatches {
  const match: JsonObject[] = [];
  for (const written of matchesOf(rule)) {
    for (const mark of marks) {
      const marked = addMark(written, mark);
      if (typeof marked === "string") return refuseCondition(marked);
      if (marked !== undefined) match.push(marked);
    }
  }
  return { kind: "matches", match };
}

/** Every condition of the rule, for some methods alone. */
export function methodMatches(rule: JsonObject, methods: readonly string[]): OwnMatches {
  const match = matchesOf(rule).flatMap((written) => {
    const asked = written["method"] === undefined ? undefined : readCondition(written["method"]);
    const left = asked === undefined ? methods : methods.filter((method) => meets(method, asked));
    return left.length === 0 ? [] : [{ ...written, method: writeCondition(oneOf(left)) }];
  });
  return { kind: "matches", match };
}

/** A rule without conditions takes every request. */
function matchesOf(rule: JsonObject): readonly JsonObject[] {
  const written = asList(rule["match"]).map(asObject);
  return written.length === 0 ? [{}] : written;
}

/** The name of a method may hold characters that an expression would read as more than themselves. */
function oneOf(methods: readonly string[]): ValueMatch {
  const [only] = methods;
  return methods.length === 1 && only !== undefined
    ? { kind: "exact", value: only }
    : { kind: "regex", value: methods.map(escapeRegex).join("|") };
}

/** Undefined where no request could meet both, and the name of what cannot be said twice. */
function addMark(written: JsonObject, { headers, cookies, query }: RequestMark): JsonObject | undefined | string {
  const asked = Object.entries(cookies);
  if (asked.length > maximumCookies) return "the header cookie";
  const cookie: readonly (readonly [string, ValueMatch])[] =
    asked.length === 0 ? [] : [["cookie", { kind: "regex", value: renderCookiesPattern(asked) }]];
  const withHeaders = addConditions(written, [...Object.entries(headers), ...cookie], headerField);
  if (typeof withHeaders === "string" || withHeaders === undefined) return withHeaders;
  return addConditions(withHeaders, Object.entries(query), queryField);
}

interface ConditionField {
  readonly field: "headers" | "queryParams";
  readonly noun: string;
  /** The name under which the conditions have it. */
  readonly find: (conditions: JsonObject, name: string) => string | undefined;
}

const headerField: ConditionField = { field: "headers", noun: "header", find: findHeader };
const queryField: ConditionField = { field: "queryParams", noun: "query parameter", find: findQueryParameter };

function addConditions(
  written: JsonObject,
  more: readonly (readonly [name: string, value: ValueMatch])[],
  { field, noun, find }: ConditionField,
): JsonObject | undefined | string {
  if (more.length === 0) return written;
  let conditions = asObject(written[field]);
  for (const [name, value] of more) {
    const known = find(conditions, name);
    if (known === undefined) {
      conditions = { ...conditions, [name]: writeCondition(value) };
      continue;
    }
    const combined = combineConditions(readCondition(conditions[known]), value);
    if (combined.kind === "never") return undefined;
    if (combined.kind === "unsayable") return `the ${noun} ${name}`;
    conditions = { ...conditions, [known]: writeCondition(combined.value) };
  }
  return { ...written, [field]: conditions };
}

function refuseCondition(what: string): SiteRefusal {
  return refuseWrite("KIR4023", {
    message: `A VirtualService cannot ask two things of ${what} in one condition, and the preview would need it to.`,
    hint: "Choose another mark for the preview: one that the conditions of the rule say nothing about.",
  });
}
