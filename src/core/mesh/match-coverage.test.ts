import { describe, expect, test } from "vitest";

import type { HttpMatch } from "../manifest/virtual-service.ts";
import { anyRequest } from "./any-request.ts";
import { coversMatch, isCatchAll } from "./match-coverage.ts";

const any: HttpMatch = anyRequest({ file: "a.yaml", line: 1, column: 1 });

const prefix = (value: string, ignoreUriCase = false): HttpMatch => ({
  ...any,
  uri: { kind: "prefix", value },
  ignoreUriCase,
});
const exact = (value: string, ignoreUriCase = false): HttpMatch => ({
  ...any,
  uri: { kind: "exact", value },
  ignoreUriCase,
});
const below = (value: string): HttpMatch => ({ ...any, uri: { kind: "pathPrefix", value } });
const regex = (value: string): HttpMatch => ({ ...any, uri: { kind: "regex", value } });

describe("an earlier match takes everything of a later one", () => {
  const x = { x: { kind: "exact", value: "1" } } as const;
  test.each<[string, HttpMatch, HttpMatch, boolean]>([
    ["nothing asked", any, prefix("/a"), true],
    ["something asked", prefix("/a"), any, false],
    ["a path and what is below it", below("/a"), exact("/a/b"), true],
    ["the path itself", below("/a"), exact("/a"), true],
    ["the same path", below("/a"), below("/a"), true],
    ["a path below", below("/a"), below("/a/b"), true],
    ["a longer name", below("/a"), below("/ab"), false],
    ["a prefix that goes on in a name", below("/a"), prefix("/a"), false],
    ["a prefix that begins below", below("/a"), prefix("/a/"), true],
    ["the plain prefix of a path", prefix("/a"), below("/a"), true],
    ["a prefix that is longer than the path", prefix("/a/"), below("/a"), false],
    ["an exact path", exact("/a"), below("/a"), false],
    ["prefix and longer prefix", prefix("/a"), prefix("/ab"), true],
    ["prefix and exact", prefix("/a"), exact("/a"), true],
    ["exact and prefix", exact("/a"), prefix("/a"), false],
    ["prefix / and anything", prefix("/"), any, true],
    ["regex .* and anything", regex(".*"), prefix("/a"), true],
    ["the same regex", regex("/a+"), regex("/a+"), true],
    ["regex and exact", regex("/a+"), exact("/aa"), false],
    ["case ignored", prefix("/A", true), exact("/ab", true), true],
    ["case ignored only later", prefix("/a"), exact("/ab", true), false],
    [
      "more headers later",
      { ...any, headers: x },
      { ...prefix("/a"), headers: { ...x, y: { kind: "present" } } },
      true,
    ],
    ["a header only earlier", { ...any, headers: x }, any, false],
    ["present and exact", { ...any, headers: { x: { kind: "present" } } }, { ...any, headers: x }, true],
    ["withoutHeaders earlier", { ...any, withoutHeaders: x }, any, false],
    ["withoutHeaders both", { ...any, withoutHeaders: x }, { ...any, withoutHeaders: x }, true],
    ["another port", { ...any, port: 80 }, { ...any, port: 81 }, false],
    ["fewer gateways", { ...any, gateways: ["a", "b"] }, { ...any, gateways: ["a"] }, true],
    ["any gateway later", { ...any, gateways: ["a"] }, any, false],
    ["labels of the client", { ...any, sourceLabels: { a: "b" } }, any, false],
    [
      "a method",
      { ...any, method: { kind: "exact", value: "GET" } },
      { ...any, method: { kind: "exact", value: "POST" } },
      false,
    ],
  ])("%s", (...[, earlier, later, expected]) => {
    expect(coversMatch(earlier, later)).toBe(expected);
  });
});

test("a catch-all has no condition but a path that is always there", () => {
  expect([any, prefix("/"), regex(".*")].every(isCatchAll)).toBe(true);
  expect([exact("/"), prefix("/a"), { ...any, port: 80 }].some(isCatchAll)).toBe(false);
});
