import { expect, test } from "vitest";
import { complainUnixAddress } from "./unix-address.ts";

test.each([
  ["unix:///run/app.sock", undefined],
  ["unix://@app", undefined],
  [`unix:///${"a".repeat(106)}`, undefined],
  [`unix:///${"a".repeat(107)}`, "at most 107 bytes"],
  [`unix:///${"あ".repeat(36)}`, "has one of 109"],
  ["unix://run/app.sock", "absolute path"],
  ["unix:///run/", "absolute path"],
])("%s", (text, complaint) => {
  if (complaint === undefined) expect(complainUnixAddress(text)).toBeUndefined();
  else expect(complainUnixAddress(text)).toContain(complaint);
});
