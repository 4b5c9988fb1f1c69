import { expect, test } from "vitest";
import { findRelease, type ReleaseName } from "./find-release.ts";

const releases = ["shop/web", "shop/web", "bank/web", "shop/api"].map((release, index) => ({
  release,
  id: `r${index}`,
}));

function find(name: ReleaseName, among: typeof releases = releases): string {
  return findRelease(among, name, ({ release }) => release).id;
}

test("the newest of a name is meant", () => {
  expect(find({ name: "shop/web" })).toBe("r1");
  expect(find({ name: "web", namespace: "shop" })).toBe("r1");
  expect(find({ name: "api" })).toBe("r3");
});

test("a name that two namespaces have is asked about, and never guessed", () => {
  expect(() => find({ name: "web" })).toThrow("web could mean shop/web and bank/web.");
});

test("an unknown name says what there is", () => {
  expect(() => find({ name: "api", namespace: "bank" })).toThrow("No release named api was started.");
  expect(() => find({ name: "api" }, [])).toThrow(
    expect.objectContaining({ hint: "`kirikae start FILE` starts one." }),
  );
});
