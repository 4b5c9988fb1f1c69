import { expect, test } from "vitest";
import { completePlan } from "./complete-plan.ts";
import { expandStrategy } from "./expand-strategy.ts";
import type { ReleasePlan } from "./plan-release.ts";

/** As the journal of an earlier format has it: less than the type says. */
function read(plan: object): ReleasePlan {
  return JSON.parse(JSON.stringify({ release: "shop/web", to: "green", ...plan }));
}

const check = { durationMs: 60_000, minRequests: 10, minSuccessPercent: 99, comparesWithLive: true };
const wholeCheck = { ...check, initialDelayMs: 0, latency: [], judges: [], isDryRun: false };

test("a check and an approval mean what they meant when they were agreed upon", () => {
  const steps = [
    { kind: "check", ...check },
    { kind: "approve", people: 2 },
    { kind: "hold", durationMs: 5 },
  ];
  const { steps: completed, spec } = completePlan(read({ steps, spec: { strategy: { kind: "steps", steps } } }));
  const expected = [
    { kind: "check", ...wholeCheck },
    { kind: "approve", people: 2, letsStarterApprove: true },
    steps[2],
  ];
  expect(completed).toEqual(expected);
  expect(spec).toMatchObject({ strategy: { steps: expected }, freezes: [], notifications: [] });
});

test("the gates of a canary are completed with it", () => {
  const strategy = { kind: "canary", weights: [10], check, approve: { people: 1 } };
  const { spec } = completePlan(read({ steps: [], spec: { strategy } }));
  expect(spec.strategy).toMatchObject({ check: wholeCheck, approve: { people: 1, letsStarterApprove: true } });
});

test("the time after a switch of a blue-green release is still the third step", () => {
  const strategy = { kind: "blueGreen", approve: { people: 1 }, bakeMs: 5_000 };
  const { spec } = completePlan(read({ steps: [], spec: { strategy } }));
  expect(expandStrategy(spec).map(({ kind }) => kind)).toEqual(["approve", "switch", "bake"]);
  expect(expandStrategy(spec).at(2)).toMatchObject({ durationMs: 5_000 });
  expect(spec.strategy).not.toHaveProperty("bakeMs");
});

test("a plan that has all of it stays as it is", () => {
  const steps = [{ kind: "check", ...wholeCheck, isDryRun: true, initialDelayMs: 3 }];
  const plan = read({ steps, spec: { strategy: { kind: "steps", steps }, freezes: [1], notifications: [2] } });
  expect(completePlan(plan)).toEqual(plan);
});
