import { describe, expect, test } from "vitest";

import { resolvePlain } from "./resolve-plain.ts";

function kindAndValue(source: string): unknown {
  const scalar = resolvePlain(source, 0);
  return scalar.kind === "null" ? null : scalar.value;
}

describe("plain scalars mean what Kubernetes takes them for", () => {
  test.each(["y", "Y", "yes", "on", "ON", "true", "True"])("%s is true", (source) => {
    expect(kindAndValue(source)).toBe(true);
  });

  test.each(["n", "N", "no", "off", "OFF", "false", "FALSE"])("%s is false", (source) => {
    expect(kindAndValue(source)).toBe(false);
  });

  test.each(["", "~", "null", "NULL"])("%j is null", (source) => {
    expect(kindAndValue(source)).toBeNull();
  });

  test.each([
    ["80", 80],
    ["-1", -1],
    ["+3", 3],
    ["0777", 511],
    ["0o17", 15],
    ["0x1F", 31],
    ["0b101", 5],
    ["1_000", 1000],
    ["1.5", 1.5],
    [".5", 0.5],
    ["1e3", 1000],
    ["-.inf", -Infinity],
  ])("%s is a number", (source, expected) => {
    expect(kindAndValue(source)).toBe(expected);
  });

  test.each([
    "190:20:30",
    "2020-01-01",
    "2020-01-01T00:00:00Z",
    "1.2.3",
    "10.0.0.1",
    "yEs",
    "0x",
    "-",
    ".",
    "=",
    "089x",
  ])("%s stays text", (source) => {
    expect(kindAndValue(source)).toBe(source);
  });
});
