import { expect, test } from "vitest";

import { coversHost, intersectHosts, wildcardsAbove } from "./host-pattern.ts";

test("a wildcard takes what is below it, not itself", () => {
  expect(coversHost("*", "a.com")).toBe(true);
  expect(coversHost("*.a.com", "b.a.com")).toBe(true);
  expect(coversHost("*.a.com", "c.b.a.com")).toBe(true);
  expect(coversHost("*.a.com", "*.b.a.com")).toBe(true);
  expect(coversHost("*.a.com", "a.com")).toBe(false);
  expect(coversHost("*.a.com", "xa.com")).toBe(false);
  expect(coversHost("a.com", "*.a.com")).toBe(false);
});

test("two hosts meet in the more specific one", () => {
  expect(intersectHosts("*.a.com", "b.a.com")).toBe("b.a.com");
  expect(intersectHosts("b.a.com", "*.a.com")).toBe("b.a.com");
  expect(intersectHosts("*", "*.a.com")).toBe("*.a.com");
  expect(intersectHosts("a.com", "b.com")).toBeUndefined();
});

test("the wildcards above a host", () => {
  expect(wildcardsAbove("a.b.c")).toEqual(["*.b.c", "*.c", "*"]);
  expect(wildcardsAbove("*.b.c")).toEqual(["*.c", "*"]);
  expect(wildcardsAbove("*")).toEqual([]);
});
