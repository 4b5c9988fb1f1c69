import type { Condition } from "../core/manifest/release.ts";

export function meetsCondition(value: number, { operator, value: wanted }: Condition): boolean {
  switch (operator) {
    case "<":
      return value < wanted;
    case "<=":
      return value <= wanted;
    case ">":
      return value > wanted;
    case ">=":
      return value >= wanted;
    case "==":
      return value === wanted;
    case "!=":
      return value !== wanted;
  }
}

/** `0.05 is not < 0.01`. */
export function describeComparison(value: number, condition: Condition): string {
  const word = meetsCondition(value, condition) ? "is" : "is not";
  return `${value} ${word} ${condition.operator} ${condition.value}`;
}
