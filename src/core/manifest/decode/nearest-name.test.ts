import { expect, test } from "vitest";

import { listNames, nearestName } from "./nearest-name.ts";

const known = ["match", "route", "redirect", "timeout", "perTryTimeout", "host"];

test.each([
  ["matches", "match"],
  ["rotue", "route"],
  ["per_try_timeout", "perTryTimeout"],
  ["PERTRYTIMEOUT", "perTryTimeout"],
  ["hosts", "host"],
  ["hos", "host"],
  ["perTry", "perTryTimeout"],
  ["pe", undefined],
  ["zzz", undefined],
  ["", undefined],
  ["x".repeat(1000), undefined],
])("%j was probably %j", (name, expected) => {
  expect(nearestName(name, known)).toBe(expected);
});

test("a long list is cut", () => {
  expect(listNames([])).toBe("none");
  expect(listNames(["a", "b"])).toBe("a, b");
  expect(listNames(["a", "b", "c"], 2)).toBe("a, b and 1 more");
});
