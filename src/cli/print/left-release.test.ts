import { expect, test } from "vitest";
import { tellOfFailed, tellOfIdle, tellOfLeft, tellOfWaiting } from "./left-release.ts";

const sites = [{ context: "east" }, { context: "west" }];

test("who was left alone is told in whole commands what comes next", () => {
  expect(tellOfLeft("shop/to-green", sites)).toBe(
    "shop/to-green stays where it is; `kirikae up --context east --context west` goes on with it, and so does `kirikae --context east --context west resume to-green -n shop`.",
  );
  expect(tellOfFailed("shop/to-green", [{ context: "east" }])).toBe(
    "shop/to-green keeps its routes until it has ended: `kirikae --context east retry to-green -n shop`, or `abort`, or `rollback --release` in the place of `retry`.",
  );
  expect(tellOfWaiting("shop/to-green", [{ context: "east" }])).toContain("start `kirikae up --context east`.");
  expect(tellOfIdle("shop/to-green", [{ context: "east" }])).toContain(
    "`kirikae --context east resume to-green -n shop` or `kirikae up --context east` does.",
  );
});
