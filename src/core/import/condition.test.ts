import { describe, expect, test } from "vitest";
import { negateCondition, parseCondition } from "./condition.ts";

describe("simple comparisons", () => {
  test.each([
    ["result[0] >= 0.95", ">=", 0.95],
    ["result < 5", "<", 5],
    ["result == 0", "==", 0],
    ["result[0] != -1.5", "!=", -1.5],
    ["asFloat(result) > 1e-3", ">", 0.001],
    ["(result[0] <= 2)", "<=", 2],
    ["all(result, # > 3)", ">", 3],
    ["all(result, {# <= 0.4})", "<=", 0.4],
  ])("%s", (text, operator, value) => {
    expect(parseCondition(text)).toEqual({ operator, value, member: undefined, passesWhenEmpty: false });
  });

  test("a member of an answer is kept", () => {
    expect(parseCondition("result.data.score >= 90")).toMatchObject({ member: "data.score", value: 90 });
  });

  test.each([
    "len(result) == 0 || result[0] < 2",
    "isNaN(result[0]) || result[0] < 2",
    "result[0] < 2 || (len(result) == 0)",
  ])("%s passes without values", (text) => {
    expect(parseCondition(text)).toEqual({ operator: "<", value: 2, member: undefined, passesWhenEmpty: true });
  });
});

test.each([
  "",
  "result",
  'result == "green"',
  "result[0] >= 0.95 && result[1] < 2",
  "result[0] > 1 || result[1] > 1",
  "default(result, 0) < 5",
  "len(result) == 0",
  "result[1] > 3",
  "result.ok",
  `${"(".repeat(200)}result > 1${")".repeat(200)}`,
  "result ".repeat(200),
])("%s is more than a comparison", (text) => {
  expect(parseCondition(text)).toBeUndefined();
});

test.each([
  ["<", ">="],
  ["<=", ">"],
  [">", "<="],
  [">=", "<"],
  ["==", "!="],
  ["!=", "=="],
])("what is not %s is %s", (operator, opposite) => {
  const condition = parseCondition(`result ${operator} 1`);
  expect(condition && negateCondition(condition).operator).toBe(opposite);
});
