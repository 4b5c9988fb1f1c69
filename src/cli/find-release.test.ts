import { expect, test } from "vitest";
import type { ReleaseStatus } from "../api/types.ts";
import { findRelease } from "./find-release.ts";

const releases = ["shop/web", "shop/web", "bank/web", "shop/api"].map(
  (release, index) => ({ release, id: `r${index}` }) as ReleaseStatus,
);

test("the newest of a name is meant", () => {
  expect(findRelease(releases, { name: "shop/web" }).id).toBe("r1");
  expect(findRelease(releases, { name: "web", namespace: "shop" }).id).toBe("r1");
  expect(findRelease(releases, { name: "api" }).id).toBe("r3");
});

test("a name that two namespaces have is asked about, and never guessed", () => {
  expect(() => findRelease(releases, { name: "web" })).toThrow("web could mean shop/web and bank/web.");
});

test("an unknown name says what there is", () => {
  expect(() => findRelease(releases, { name: "api", namespace: "bank" })).toThrow("No release named api was started.");
  expect(() => findRelease([], { name: "api" })).toThrow(
    expect.objectContaining({ hint: "`kirikae start FILE` starts one." }),
  );
});
