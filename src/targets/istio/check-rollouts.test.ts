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

const cases: readonly (readonly [string, object, object])[] = [
  ["at rest", settled, { verdict: "pass", detail: "3 of 3 ready" }],
  ["just changed", { ...settled, observedGeneration: 1 }, failing("rolling out: its last change was not taken up yet")],
  ["halfway", { ...settled, updatedReplicas: 1 }, failing("rolling out: 1 of 3 updated")],
  ["with pods of before", { ...settled, replicas: 5 }, failing("rolling out: 2 of the version before still there")],
  ["with a pod that is not Ready", { ...settled, readyReplicas: 2 }, failing("2 of 3 ready")],
  ["never seen by its controller", {}, failing("rolling out: its last change was not taken up yet")],
];

test.each(cases)("a Deployment %s", (_, status, expected) => {
  expect(check({ status })).toEqual({ name: "Deployment shop/web-green", ...expected });
});

function failing(detail: string) {
  return { verdict: "fail", detail };
}

test("one replica is what a Deployment has that names no number", () => {
  const status = { observedGeneration: 2, replicas: 1, updatedReplicas: 1, readyReplicas: 1 };
  const object = { apiVersion: "apps/v1", kind: "Deployment", metadata: { name: "a", namespace: "b", generation: 2 } };
  expect(checkRollout({ ...object, spec: {}, status })).toMatchObject({ verdict: "pass", detail: "1 of 1 ready" });
});
