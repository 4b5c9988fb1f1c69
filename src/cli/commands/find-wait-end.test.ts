import { expect, test } from "vitest";
import type { KubeObject } from "../../kubernetes/kube-object.ts";
import { seeRelease } from "../../app/site/releases/watch-cluster-release.ts";
import { findWaitEnd } from "./find-wait-end.ts";
import { findClusterEnd } from "./wait-in-cluster.ts";

test.each([
  ["done", "done"],
  ["failed", "failed"],
  ["paused", "paused"],
  ["awaiting", "paused"],
] as const)("%s is what a wait for %s waits for", (phase, goal) => {
  expect(findWaitEnd({ phase, isEndless: false }, goal)).toBe(0);
});

test("a hold waits for a person where nothing else ends it", () => {
  expect(findWaitEnd({ phase: "holding", isEndless: true }, "paused")).toBe(0);
  expect(findWaitEnd({ phase: "holding", isEndless: false }, "paused")).toBeUndefined();
});

test.each(["failed", "aborted", "rolledBack", "refused"])("%s is another end than done", (phase) => {
  expect(findWaitEnd({ phase, isEndless: false }, "done")).toBe(1);
});

test.each(["pending", "moving", "checking", "frozen", "paused", "rollingBack"])("%s goes on", (phase) => {
  expect(findWaitEnd({ phase, isEndless: false }, "done")).toBeUndefined();
});

function release(status: object | undefined, generation = 1): KubeObject {
  return {
    apiVersion: "kirikae.dev/v1alpha1",
    kind: "Release",
    metadata: { name: "to-green", namespace: "shop", generation },
    ...(status !== undefined && { status }),
  };
}

test("what a Release said of the file that it had before is no answer", () => {
  const status = { phase: "Done", observedGeneration: 1 };
  expect(findClusterEnd(seeRelease(release(status), "prod"), { for: "done" })).toBe(0);
  expect(findClusterEnd(seeRelease(release(status, 2), "prod"), { for: "done" })).toBeUndefined();
  expect(findClusterEnd(seeRelease(release(undefined), "prod"), { for: "done" })).toBeUndefined();
});

test("a Release that holds until a time is not waiting for a person", () => {
  const holding = { phase: "Holding", observedGeneration: 1 };
  const until = { ...holding, waitsUntil: "2026-11-22T02:00:00Z" };
  expect(findClusterEnd(seeRelease(release(holding), "prod"), { for: "paused" })).toBe(0);
  expect(findClusterEnd(seeRelease(release(until), "prod"), { for: "paused" })).toBeUndefined();
});
