/** A comparison of what a judge measured with a number. */
export interface ImportedCondition {
  readonly operator: "<" | "<=" | ">" | ">=" | "==" | "!=";
  readonly value: number;
  /** Whether the expression also took an answer without values for a yes. */
  readonly passesWhenEmpty: boolean;
  /** `a.b` of the measured value that is compared; undefined for the value itself. */
  readonly member: string | undefined;
}

const comparison =
  /^(?:asFloat\(|float\()?result(?:\[0\])?((?:\.[A-Za-z_][\w]*)*)\)?\s*(<=|>=|==|!=|<|>)\s*(-?\d+(?:\.\d+)?(?:e-?\d+)?)$/u;
const everyValue = /^all\(\s*result\s*,\s*\{?\s*#\s*(<=|>=|==|!=|<|>)\s*(-?\d+(?:\.\d+)?)\s*\}?\s*\)$/u;
const emptiness = /^(?:len\(result\)\s*==\s*0|isNaN\(result(?:\[0\])?\)|result\s*==\s*nil)$/u;

/**
 * Reads the simple forms of Argo Rollouts' expressions: `result[0] >= 0.95`, `result < 5`, `all(result, # > 1)`, and those
 * after `len(result) == 0 ||`. Undefined for all others, which need a judge of their own.
 */
export function parseCondition(expression: string): ImportedCondition | undefined {
  if (expression.length > 500) return undefined;
  const parts = expression.split("||").map((part) => withoutBrackets(part.trim()));
  const rest = parts.filter((part) => !emptiness.test(part));
  const [only, ...others] = rest;
  if (only === undefined || others.length > 0) return undefined;
  const passesWhenEmpty = rest.length < parts.length;
  const every = everyValue.exec(only);
  if (every !== null) return build({ operator: every[1], value: every[2], member: "", passesWhenEmpty });
  const compared = comparison.exec(only);
  if (compared === null) return undefined;
  return build({ operator: compared[2], value: compared[3], member: compared[1], passesWhenEmpty });
}

const operators = ["<", "<=", ">", ">=", "==", "!="] as const;
const opposites = { "<": ">=", "<=": ">", ">": "<=", ">=": "<", "==": "!=", "!=": "==" } as const;

/** What holds exactly where the condition does not. */
export function negateCondition(condition: ImportedCondition): ImportedCondition {
  return { ...condition, operator: opposites[condition.operator] };
}

function build(parts: {
  readonly operator: string | undefined;
  readonly value: string | undefined;
  readonly member: string | undefined;
  readonly passesWhenEmpty: boolean;
}): ImportedCondition | undefined {
  const operator = operators.find((known) => known === parts.operator);
  const value = Number(parts.value);
  if (operator === undefined || !Number.isFinite(value)) return undefined;
  const member = parts.member?.replace(/^\./u, "") ?? "";
  return { operator, value, member: member === "" ? undefined : member, passesWhenEmpty: parts.passesWhenEmpty };
}

function withoutBrackets(text: string): string {
  return /^\([^()]*(?:\([^()]*\)[^()]*)*\)$/u.test(text) && !text.startsWith("(result)")
    ? text.slice(1, -1).trim()
    : text;
}
