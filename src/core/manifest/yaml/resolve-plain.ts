import type { YamlScalar } from "./yaml-value.ts";

const booleans: ReadonlyMap<string, boolean> = new Map(
  Object.entries({
    true: ["y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"],
    false: ["n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"],
  }).flatMap(([name, spellings]) => spellings.map((spelling) => [spelling, name === "true"] as const)),
);

const nulls: ReadonlySet<string> = new Set(["", "~", "null", "Null", "NULL"]);

const specialNumbers: ReadonlyMap<string, number> = new Map([
  ...[".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"].map((source) => [source, Infinity] as const),
  ...["-.inf", "-.Inf", "-.INF"].map((source) => [source, -Infinity] as const),
  ...[".nan", ".NaN", ".NAN"].map((source) => [source, Number.NaN] as const),
]);

const integer = /^[-+]?(?:0b[01_]+|0o?[0-7_]+|0x[0-9a-fA-F_]+|[1-9][0-9_]*|0)$/;
const decimal = /^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$/;

/**
 * Types an unquoted scalar as Kubernetes does (sigs.k8s.io/yaml on go-yaml v2): YAML 1.1 booleans and octal numbers,
 * but no base-60 numbers, and a timestamp stays the text that it is.
 */
export function resolvePlain(source: string, offset: number): YamlScalar {
  if (nulls.has(source)) {
    return { kind: "null", offset };
  }
  const boolean = booleans.get(source);
  if (boolean !== undefined) {
    return { kind: "boolean", value: boolean, source, offset };
  }
  const number = parseNumber(source);
  return number === undefined
    ? { kind: "string", value: source, offset }
    : { kind: "number", value: number, source, offset };
}

function parseNumber(source: string): number | undefined {
  const special = specialNumbers.get(source);
  if (special !== undefined) {
    return special;
  }
  const first = source.charCodeAt(0);
  const couldBeNumber = (first >= 48 && first <= 57) || first === 43 || first === 45 || first === 46;
  if (!couldBeNumber || source.length > 400) {
    return undefined;
  }
  if (integer.test(source)) {
    return parseInteger(source.replaceAll("_", ""));
  }
  const plain = source.replaceAll("_", "");
  return decimal.test(plain) ? Number(plain) : undefined;
}

function parseInteger(source: string): number | undefined {
  const negative = source.startsWith("-");
  const digits = source.replace(/^[-+]/, "");
  const octal = /^0o?([0-7]+)$/.exec(digits);
  const value = octal === null ? Number(digits) : Number.parseInt(octal[1] ?? "", 8);
  if (Number.isNaN(value)) {
    return undefined;
  }
  return negative ? -value : value;
}
