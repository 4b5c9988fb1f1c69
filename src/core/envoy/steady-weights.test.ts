import { array, assert, constantFrom, integer, property } from "fast-check";
import { expect, test } from "vitest";
import { isSameShare } from "../release/move/split-weights.ts";
import { steadyWeights } from "./steady-weights.ts";

const visitor = { chosenBy: { kind: "cookie", name: "v" } } as const;

function totalOf(weights: Readonly<Record<string, number>>): number {
  return Object.values(weights).reduce((sum, weight) => sum + weight, 0);
}

test("shares stay what they are, and the total what it was, also where they are divided more finely", () => {
  const parts = array(integer({ min: 0, max: 50 }), { minLength: 2, maxLength: 4 }).filter((all) =>
    all.some((weight) => weight > 0),
  );
  assert(
    property(parts, constantFrom(1, 2, 4, 5, 10, 25, 100), (weights, factor) => {
      const plain = Object.fromEntries(weights.map((weight, index) => [`v${index}`, weight]));
      const finer = Object.fromEntries(weights.map((weight, index) => [`v${index}`, weight * factor]));
      const steady = steadyWeights(visitor, plain);
      expect(isSameShare(steady, plain)).toBe(true);
      expect(steadyWeights(visitor, finer)).toEqual(steady);
      expect(totalOf(steady)).toBeLessThan(2 ** 32);
    }),
  );
});

test("who has come to the new version stays there while its share grows", () => {
  const steps = [
    { blue: 1, green: 0 },
    { blue: 99, green: 1 },
    { blue: 195, green: 5 },
    { blue: 1, green: 1 },
  ];
  const boundaries = steps.map((weights) => steadyWeights(visitor, weights)["blue"] ?? 0);
  expect(boundaries).toEqual(boundaries.toSorted((left, right) => right - left));
  expect(new Set(steps.map((weights) => totalOf(steadyWeights(visitor, weights)))).size).toBe(1);
});

test("arms that are drawn keep the weights that somebody wrote, and so does a total that is too fine", () => {
  expect(steadyWeights({}, { blue: 1, green: 2 })).toEqual({ blue: 1, green: 2 });
  const fine = { blue: 2 ** 31, green: 0 };
  expect(steadyWeights(visitor, fine)).toEqual(fine);
});
