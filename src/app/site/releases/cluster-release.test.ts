import { expect, test } from "vitest";
import type { KubeObject } from "../../../kubernetes/kube-object.ts";
import { describeClusterRelease, describeClusterReleases, isQuiet } from "./cluster-release.ts";

const object: KubeObject = {
  apiVersion: "kirikae.dev/v1alpha1",
  kind: "Release",
  metadata: { name: "to-green", namespace: "shop" },
  spec: { to: "green", routes: [{ virtualService: "web" }] },
};

test("a Release that no controller has looked at is pending", () => {
  expect(describeClusterRelease(object, "prod")).toEqual({
    runBy: "controller",
    context: "prod",
    release: "shop/to-green",
    id: null,
    from: null,
    to: "green",
    services: ["shop/web"],
    phase: "pending",
    step: null,
    stepName: null,
    weight: null,
    message: "no controller has looked at it yet",
    startedAt: null,
    endedAt: null,
    waitsUntil: null,
    steps: [],
  });
});

test.each([
  ["RolledBack", "rolledBack", true],
  ["Done", "done", true],
  ["Refused", "refused", true],
  ["RollingBack", "rollingBack", false],
  ["Failed", "failed", false],
])("%s of kubectl is %s here", (phase, said, isOver) => {
  const release = describeClusterRelease({ ...object, status: { phase, release: "r3", step: "2/6" } }, "prod");
  expect(release).toMatchObject({ phase: said, id: "r3", step: "2/6" });
  expect(isQuiet(release)).toBe(isOver);
});

test("of several clusters each Release has its own name and says where it is, and those that begin come first", () => {
  const place = (namespace: string, startedAt: string | undefined) => ({
    ...object,
    metadata: { ...object.metadata, namespace },
    ...(startedAt !== undefined && { status: { phase: "Done", startedAt } }),
  });
  const objects = [
    place("east:shop", "2026-11-21T10:00:00Z"),
    place("west:shop", "2026-11-21T11:00:00Z"),
    place("a%20b:shop", undefined),
  ];
  const told = describeClusterReleases(objects, "east, west, a b");
  expect(told.map(({ context, release }) => [context, release])).toEqual([
    ["a b", "shop/to-green"],
    ["west", "shop/to-green"],
    ["east", "shop/to-green"],
  ]);
  expect(told[0]?.services).toEqual(["shop/web"]);
  expect(describeClusterReleases([object], "prod")).toMatchObject([{ context: "prod", release: "shop/to-green" }]);
});
