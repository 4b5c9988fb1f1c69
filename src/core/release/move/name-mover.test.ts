import { expect, test } from "vitest";
import { nameMover } from "./name-mover.ts";

test.each([
  ["release shop/to-green", "release shop/to-green"],
  ["release shop/to-green, rolled back", "release shop/to-green"],
  ["release c:shop/to-green, brought back", "release c:shop/to-green"],
  ["release notes say so", "ann"],
  ["for the release shop/to-green", "ann"],
  [undefined, "ann"],
])("because of %s it is moved by %s", (reason, mover) => {
  expect(nameMover({ actor: "ann", reason })).toBe(mover);
});
