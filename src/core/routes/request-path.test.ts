import { describe, expect, it } from "vitest";
import { normalizeTarget, parseQuery } from "./request-path.ts";

// Each pair was read off Envoy 1.40 with normalize_path on and merge_slashes off.
const normalized: readonly (readonly [target: string, seen: string])[] = [
  ["/", "/"],
  ["/a//b", "/a//b"],
  ["/a/../b", "/b"],
  ["/a/./b", "/a/b"],
  ["/a/..", "/"],
  ["/a/.", "/a/"],
  ["/..", "/"],
  ["/../x", "/x"],
  ["/%2e%2e/x", "/x"],
  ["/a/.%2e/b", "/b"],
  ["/a/...", "/a/..."],
  ["/a/..b", "/a/..b"],
  ["/a/.../../b", "/a/b"],
  ["/a//../b", "/a/b"],
  ["//a/..", "//"],
  ["/..//b", "//b"],
  ["/.//b", "//b"],
  ["/%2E", "/"],
  ["/a%2fb", "/a%2fb"],
  ["/a%2Fb", "/a%2Fb"],
  ["/a/%2e%2e%2fb", "/a/..%2fb"],
  ["/%7euser", "/~user"],
  ["/%41%2d%5F", "/A-_"],
  ["/%c3%a9", "/%c3%a9"],
  ["/%zz", "/%zz"],
  ["/%4", "/%4"],
  ["/%", "/%"],
  ["/a\\..\\b", "/b"],
  ["/%5c..", "/%5c.."],
  ["/a|b^`{}", "/a%7Cb%5E%60%7B%7D"],
  ['/<">', "/%3C%22%3E"],
  ["/a;b/../c", "/c"],
  ["/a/..;x/b", "/b"],
  ["/a/.;x/b", "/a/b"],
  ["/a/...;x/b", "/a/...;x/b"],
  ["/a/%2e%2e;x/b", "/a/..;x/b"],
  ["/a/..;x%2fb/c", "/c"],
  ["/a?x=/../b", "/a?x=/../b"],
  ["/a/.?x", "/a/?x"],
  ["/a/b?%41=%42", "/a/b?%41=%42"],
];

describe("normalizeTarget", () => {
  it.each(normalized)("%s is seen as %s", (target, seen) => {
    const result = normalizeTarget(target);
    expect(`${result?.path}${result?.query}`).toBe(seen);
  });

  it.each(["", "*", "?x", "a", "/a b", "/a#b", "/a?b#c", "/é", "/%00", "/a\u0001", "/\u007F"])(
    "refuses %j",
    (target) => {
      expect(normalizeTarget(target)).toBeUndefined();
    },
  );
});

describe("parseQuery", () => {
  it("neither decodes nor merges, and the first of a name counts", () => {
    expect([...parseQuery("?a=1&a=2&%61=3&e&f=&&g=h=i")]).toEqual([
      ["a", "1"],
      ["%61", "3"],
      ["e", ""],
      ["f", ""],
      ["", ""],
      ["g", "h=i"],
    ]);
  });

  it("has nothing for an empty query", () => {
    expect(parseQuery("").size).toBe(0);
    expect(parseQuery("?").size).toBe(0);
  });
});
