import { expect, test } from "vitest";
import { gainingDestinations } from "./split-weights.ts";

test.each([
  [{ blue: 100 }, { blue: 90, green: 10 }, ["green"]],
  // The same weight, and twenty times the share.
  [{ blue: 199, green: 1 }, { blue: 9, green: 1 }, ["green"]],
  // A larger weight, and a smaller share.
  [{ blue: 100 }, { blue: 199, green: 1 }, ["green"]],
  [{ blue: 99, green: 1 }, { blue: 1, green: 0 }, ["blue"]],
  [{ blue: 1, green: 1 }, { blue: 50, green: 50 }, []],
  [{ blue: 0 }, { blue: 1, green: 0 }, ["blue"]],
  [{ blue: 4_294_967_294, green: 1 }, { blue: 4_294_967_293, green: 2 }, ["green"]],
])("from %j to %j gain %j", (before, after, gaining) => {
  expect(gainingDestinations(before, after)).toEqual(gaining);
});
