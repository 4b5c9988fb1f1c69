import { expect, test } from "vitest";
import { harmlessLine } from "./harmless-line.ts";

test.each([
  ["the figures look right, José 👍", "the figures look right, José 👍"],
  ["\u001B[2J\u001B]0;root\u0007", "\uFFFD[2J\uFFFD]0;root\uFFFD"],
  ["one\n  two\r\nthree", "one two three"],
  ["\u202Edone\u2028", "\uFFFDdone\uFFFD"],
  ["\u009B31m", "\uFFFD31m"],
  ["\uD800", "\uFFFD"],
])("%j is shown as %j", (text, shown) => {
  expect(harmlessLine(text)).toBe(shown);
});

test("it has an end", () => {
  expect(harmlessLine("x".repeat(100), 10)).toBe("xxxxxxxxx…");
  expect(harmlessLine("👍".repeat(100), 10)).toBe("👍👍👍👍\uFFFD…");
});
