import { expect, test } from "vitest";

import { HostIndex } from "./host-index.ts";

const index = new HostIndex(
  ["a.b.example", "*.b.example", "*.example", "b.example", "xb.example", "c.other", "*"],
  (host) => host,
);

test.each([
  ["a.b.example", ["a.b.example", "*.b.example", "*.example", "*"]],
  ["z.b.example", ["*.b.example", "*.example", "*"]],
  ["c.other", ["c.other", "*"]],
  ["*.b.example", ["*.b.example", "*.example", "*", "a.b.example"]],
  ["*.none", ["*"]],
])("%s shares names with %j", (host, expected) => {
  expect(index.findOverlapping(host, 10)).toEqual(expected);
});

test("what lies below a wildcard is cut where it is told to be", () => {
  const many = new HostIndex(
    Array.from({ length: 100 }, (_, number) => `h${number}.example`),
    (host) => host,
  );
  expect(many.findOverlapping("*.example", 3)).toHaveLength(3);
});
