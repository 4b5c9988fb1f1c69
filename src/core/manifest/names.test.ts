import { describe, expect, test } from "vitest";

import {
  complainFqdn,
  complainHost,
  complainLabel,
  complainLabelKey,
  complainLabelValue,
  complainObjectLabel,
  complainPartialWildcard,
  complainSubnet,
  isIpAddress,
} from "./names.ts";

describe("hosts", () => {
  test.each([
    "a",
    "a.b",
    "*",
    "*.a.com",
    "*a.com",
    "*-a.com",
    "A.Com",
    "a.com.",
    "10.0.0.1",
    "::1",
    "1.a",
    "1",
    "xn--80ak6aa92e.com",
  ])("%s", (host) => {
    expect(complainHost(host)).toBeUndefined();
  });

  test.each([
    "",
    "a.*.com",
    "a*.com",
    "**.com",
    "a..b",
    "-a.com",
    "a_b",
    "1.2",
    "a b",
    "*.1",
    `${"a.".repeat(130)}com`,
  ])("not %j", (host) => {
    expect(complainHost(host)).toBeDefined();
  });

  test("a full name has no wildcard", () => {
    expect(complainFqdn("a.com")).toBeUndefined();
    expect(complainFqdn("*.a.com")).toBeDefined();
    expect(complainPartialWildcard("*.a.com")).toBeUndefined();
    expect(complainPartialWildcard("*a.com")).toContain("whole first part");
  });
});

test.each(["0.0.0.0", "255.255.255.255", "::", "::1", "fe80::1", "1:2:3:4:5:6:7:8", "::ffff:10.0.0.1"])(
  "%s is an IP",
  (ip) => {
    expect(isIpAddress(ip)).toBe(true);
  },
);

test.each(["256.0.0.1", "1.2.3", ":::", "1::2::3", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "g::", "10.0.0.1::"])(
  "%s is no IP",
  (ip) => {
    expect(isIpAddress(ip)).toBe(false);
  },
);

test.each(["10.0.0.1", "10.0.0.0/8", "2001:db8::/32"])("%s is an address or a range", (text) => {
  expect(complainSubnet(text)).toBeUndefined();
});

test.each(["", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/8/8", "a.com", "2001:db8::/129"])("%j is neither", (text) => {
  expect(complainSubnet(text)).toBeDefined();
});

test("labels of Istio have letters of any case, names of objects do not", () => {
  expect(complainLabel("blue-2")).toBeUndefined();
  expect(complainLabel("Blue")).toBeUndefined();
  expect(complainLabel("blue_2")).toContain("hyphens");
  expect(complainLabel("a".repeat(64))).toContain("63");
  expect(complainObjectLabel("Blue")).toContain("lower case");
});

test.each(["app", "app.kubernetes.io/name", "a_b.c", "9"])("%s is the key of a label", (key) => {
  expect(complainLabelKey(key)).toBeUndefined();
});

test.each(["", "/a", "a/", "a/b/c", "-a", "a_b.com/x", "@", "a".repeat(64)])("%j is not", (key) => {
  expect(complainLabelKey(key)).toBeDefined();
});

test("the value of a label may be empty, and ends as it begins", () => {
  expect(complainLabelValue("")).toBeUndefined();
  expect(complainLabelValue("v1.2_3")).toBeUndefined();
  expect(complainLabelValue("*")).toBeDefined();
  expect(complainLabelValue("v-")).toBeDefined();
});
