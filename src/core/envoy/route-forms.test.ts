import { expect, test } from "vitest";
import { hasOwnScope, scopeOf, sharedScope } from "./route-forms.ts";

function hostOf(domain: string, aliases?: readonly string[]): Parameters<typeof scopeOf>[0] {
  return { domain, aliases, requiresHttps: false, routes: [] };
}

test.each([
  ["a.test", "a.test"],
  ["*.a.test", "*.a.test"],
  // Envoy prefers the longer wildcard, so both have to be in what is found for `x-eu.a.test`.
  ["*-eu.a.test", "*.a.test"],
  ["*.six.five.four.three.two.one", "*.five.four.three.two.one"],
  ["*.five.four.three.two.one", "*.five.four.three.two.one"],
  ["*", sharedScope],
  ["*test", sharedScope],
  ["[::1]", sharedScope],
  ["*.a.test:80", sharedScope],
])("%s is looked up as %s", (domain, scope) => {
  expect(scopeOf(hostOf(domain))).toBe(scope);
  expect(hasOwnScope(hostOf(domain))).toBe(scope !== sharedScope);
});

test("a host with other names has a scope where all of them are exact", () => {
  expect(scopeOf(hostOf("app.ns.svc", ["app", "app.ns"]))).toBe("app.ns.svc");
  expect(scopeOf(hostOf("app.ns.svc", ["*.app"]))).toBe(sharedScope);
});
