import { describe, expect, test } from "vitest";
import type { IngressPath } from "../manifest/ingress.ts";
import { buildPathRule, comparePathRules } from "./ingress-path.ts";

function build(path: string, pathType: IngressPath["pathType"]): string | undefined {
  const rule = buildPathRule({ path, pathType });
  if (rule === undefined) return undefined;
  return rule.uri === undefined ? `all (${rule.length})` : `${rule.uri.kind} ${rule.uri.value} (${rule.length})`;
}

describe("a path is the condition that Istio makes of it", () => {
  test.each<[string, IngressPath["pathType"], string | undefined]>([
    ["/foo", "Exact", "exact /foo (4)"],
    ["/foo/", "Exact", "exact /foo/ (5)"],
    ["/", "Exact", "exact / (1)"],
    ["/", "Prefix", "prefix / (1)"],
    ["/foo", "Prefix", "pathPrefix /foo (4)"],
    ["/foo/", "Prefix", "pathPrefix /foo (5)"],
    ["/ü", "Prefix", "pathPrefix /ü (3)"],
    ["/foo?a", "Prefix", undefined],
    ["/foo#a", "Prefix", undefined],
    ["", "ImplementationSpecific", "all (0)"],
    ["/*", "ImplementationSpecific", "all (0)"],
    ["/.*", "ImplementationSpecific", "prefix / (1)"],
    ["/", "ImplementationSpecific", "exact / (1)"],
    ["/foo", "ImplementationSpecific", "exact /foo (4)"],
    ["/foo*", "ImplementationSpecific", "exact /foo* (5)"],
    ["/foo/*", "ImplementationSpecific", "pathPrefix /foo (4)"],
    ["/foo.*", "ImplementationSpecific", "pathPrefix /foo (4)"],
    ["/foo/.*", "ImplementationSpecific", "pathPrefix /foo (5)"],
    ["//.*", "ImplementationSpecific", undefined],
    ["/foo//.*", "ImplementationSpecific", undefined],
  ])("%s as %s", (path, pathType, expected) => {
    expect(build(path, pathType)).toBe(expected);
  });
});

test("longer paths stand first, of one length exact ones, and what is equal stays as it was", () => {
  const paths: readonly (readonly [string, IngressPath["pathType"]])[] = [
    ["", "ImplementationSpecific"],
    ["/", "Prefix"],
    ["/abc", "Prefix"],
    ["/xyz", "Prefix"],
    ["/abc", "Exact"],
    ["/abc/", "Prefix"],
  ];
  const rules = paths.flatMap(([path, pathType]) => buildPathRule({ path, pathType }) ?? []);
  const sorted = rules.toSorted(comparePathRules).map(({ uri }) => (uri === undefined ? "all" : uri.kind + uri.value));
  expect(sorted).toEqual(["pathPrefix/abc", "exact/abc", "pathPrefix/abc", "pathPrefix/xyz", "prefix/", "all"]);
});
