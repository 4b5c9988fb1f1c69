import { expect, test } from "vitest";

import { parseDuration } from "./duration.ts";

test.each([
  ["1h", 3_600_000],
  ["1m30s", 90_000],
  ["5s", 5000],
  ["100ms", 100],
  ["0.5s", 500],
  ["0.1s", 100],
  [".5s", 500],
  ["1.5ms", 1.5],
  ["1us", 0.001],
  ["0s", 0],
  ["0", 0],
  ["-1s", -1000],
  ["1h0m0.001s", 3_600_001],
])("%s is %d ms", (text, expected) => {
  expect(parseDuration(text)).toBe(expected);
});

test.each(["", "5", "s", "1 s", "1d", "1s1", "s1", "1e3s", "١s", "1s".repeat(40)])("%j is no duration", (text) => {
  expect(parseDuration(text)).toBeUndefined();
});
