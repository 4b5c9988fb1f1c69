import { expect, test } from "vitest";
import type { KubeObject } from "../../../kubernetes/kube-object.ts";
import { describeClusterRelease, isQuiet } from "./cluster-release.ts";

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
