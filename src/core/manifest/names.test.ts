import { describe, expect, test } from "vitest";

import { complainHost, complainLabel, isIpAddress } from "./names.ts";

describe("hosts", () => {
  test.each(["a", "a.b", "*", "*.a.com", "A.Com", "a.com.", "10.0.0.1", "::1", "1.a", "xn--80ak6aa92e.com"])(
    "%s",
    (host) => {
      expect(complainHost(host)).toBeUndefined();
    },
  );

  test.each(["", "*a.com", "a.*.com", "a..b", "-a.com", "a_b", "1.2", "a b", `${"a.".repeat(130)}com`])(
    "not %j",
    (host) => {
      expect(complainHost(host)).toBeDefined();
    },
  );
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

test("labels", () => {
  expect(complainLabel("blue-2")).toBeUndefined();
  expect(complainLabel("Blue")).toContain("lower-case");
  expect(complainLabel("a".repeat(64))).toContain("63");
});
