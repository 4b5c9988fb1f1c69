import { expect, test } from "vitest";
import { plainCheck } from "../../../../test/check.fixture.ts";
import type { RouteTable } from "../../routes/route-table.ts";
import type { ReleasePlan } from "./plan-release.ts";
import { refuseBlindChecks } from "./refuse-blind-checks.ts";

const move = {
  kind: "switch",
  moves: [{ to: "green", changes: [], versions: [{ name: "green", destinations: ["g"] }] }],
};
const mirror = { kind: "mirror", compare: { headers: [], body: false, ignoredFields: [] } };
const deafMirror = { kind: "mirror", compare: undefined };

function refuse(steps: readonly unknown[], detects = true): string | undefined {
  const policy = detects ? { outlierDetection: {} } : {};
  const table = { destinations: new Map([["g", { policy }]]) } as unknown as Pick<RouteTable, "destinations">;
  const plan = { release: "shop/r", to: "green", steps } as unknown as ReleasePlan;
  return refuseBlindChecks(plan, table)?.error.message;
}

const ejections = { ...plainCheck, kind: "check", maxEjections: 0 };
const differences = { ...plainCheck, kind: "check", maxDifferentPercent: 1 };

test("ejections are judged where something ejects", () => {
  expect(refuse([move, ejections])).toBeUndefined();
  expect(refuse([move, ejections], false)).toBe(
    "Step 2 (check) of shop/r judges ejections, and nothing takes endpoints of green out of rotation.",
  );
  expect(refuse([move, { kind: "bake", durationMs: 1, check: ejections }], false)).toContain("Step 2 (bake)");
  expect(refuse([move, { ...plainCheck, kind: "check" }], false)).toBeUndefined();
});

test("differences are judged where answers are compared before", () => {
  expect(refuse([mirror, differences, move])).toBeUndefined();
  expect(refuse([deafMirror, differences, move])).toContain("no step before it compares answers");
  expect(refuse([differences, mirror, move])).toContain("Step 1 (check) of shop/r judges differences");
});
