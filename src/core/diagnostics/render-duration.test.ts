import { expect, test } from "vitest";
import { renderDuration } from "./render-duration.ts";

test.each([
  [250, "250 ms"],
  [1_500, "1.5 s"],
  [60_000, "1 min"],
  [90_000, "90 s"],
  [120_000, "2 min"],
  [3_600_000, "1 h"],
  [5_400_000, "90 min"],
  [226_800_000, "63 h"],
])("%i ms are told as %s", (ms, text) => {
  expect(renderDuration(ms)).toBe(text);
});
