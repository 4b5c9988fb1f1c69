import { expect, test } from "vitest";
import { checkRollout } from "./check-rollouts.ts";

interface Rollout {
  readonly generation?: number;
  readonly replicas?: number;
  readonly status: object;
}

function check({ generation = 2, replicas = 3, status }: Rollout) {
  return checkRollout({
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "web-green", namespace: "shop", generation },
    spec: { replicas },
    status,
  });
}

const settled = { observedGeneration: 2, replicas: 3, updatedReplicas: 3, readyReplicas: 3 };

test.each([
  ["at rest", settled, "pass", "3 of 3 ready"],
  ["just changed", { ...settled, observedGeneration: 1 }, "fail", "rolling out: its last change was not taken up yet"],
  ["halfway", { ...settled, updatedReplicas: 1 }, "fail", "rolling out: 1 of 3 updated"],
  ["with pods of before", { ...settled, replicas: 5 }, "fail", "rolling out: 2 of the version before still there"],
  ["with a pod that is not Ready", { ...settled, readyReplicas: 2 }, "fail", "2 of 3 ready"],
  ["never seen by its controller", {}, "fail", "rolling out: its last change was not taken up yet"],
])("a Deployment %s", (_, status, verdict, detail) => {
  expect(check({ status })).toEqual({ name: "Deployment shop/web-green", verdict, detail });
});

test("one replica is what a Deployment has that names no number", () => {
  const status = { observedGeneration: 2, replicas: 1, updatedReplicas: 1, readyReplicas: 1 };
  const object = { apiVersion: "apps/v1", kind: "Deployment", metadata: { name: "a", namespace: "b", generation: 2 } };
  expect(checkRollout({ ...object, spec: {}, status })).toMatchObject({ verdict: "pass", detail: "1 of 1 ready" });
});
