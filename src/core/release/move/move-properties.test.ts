import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { destinationId, sketchTable, type RuleSketch } from "../../../../test/route-table.fixture.ts";
import type { SplitWeights, WeightOverrides } from "../../routes/route-table.ts";
import type { MovePlan, MoveRequest } from "./move.ts";
import type { PastMove } from "./past-move.ts";
import { planMove } from "./plan-move.ts";
import { isSameShare, MAX_TOTAL_WEIGHT, totalWeight } from "./split-weights.ts";

const namespace = "ns";
const virtualService = "ns/app";
const versions = ["blue", "green", "canary"] as const;
const foreign = destinationId("legacy", namespace);

interface World {
  readonly rules: readonly RuleSketch[];
}

const weight = fc.integer({ min: 0, max: 1_000 });
const rule: fc.Arbitrary<RuleSketch> = fc
  .record({
    shares: fc.tuple(weight, weight, weight).filter((weights) => weights.some((share) => share > 0)),
    legacy: fc.option(fc.integer({ min: 1, max: 1_000 }), { nil: undefined }),
    condition: fc.constantFrom("none", "header", "query", "path"),
  })
  .map(({ shares, legacy, condition }) => ({
    arms: {
      "app/blue": shares[0],
      "app/green": shares[1],
      "app/canary": shares[2],
      ...(legacy === undefined ? {} : { legacy }),
    },
    ...(condition === "header" ? { header: "x-version: test" } : {}),
    ...(condition === "query" ? { query: "preview=1" } : {}),
    ...(condition === "path" ? { path: "/part" } : {}),
  }));
const world: fc.Arbitrary<World> = fc.record({ rules: fc.array(rule, { minLength: 1, maxLength: 5 }) });

const percent = fc.integer({ min: 0, max: 10_000 }).map((hundredths) => hundredths / 100);
const asked: fc.Arbitrary<Pick<MoveRequest, "verb" | "to">> = fc.oneof(
  fc.constantFrom(...versions).map((version) => ({ verb: "switch" as const, to: { [version]: 100 } })),
  fc
    .tuple(fc.constantFrom(...versions), percent)
    .map(([version, share]) => ({ verb: "shift" as const, to: { [version]: share } })),
);

function plan(
  { rules }: World,
  request: Pick<MoveRequest, "verb" | "to">,
  more: { readonly current?: WeightOverrides; readonly history?: readonly PastMove[] } = {},
): MovePlan | undefined {
  const planning = planMove({
    table: sketchTable([{ name: virtualService, rules }]),
    current: more.current ?? new Map(),
    request: { name: "app", namespace, route: undefined, actor: "test", reason: undefined, ...request },
    ...(more.history === undefined ? {} : { history: more.history }),
  });
  return planning.kind === "plan" ? planning.plan : undefined;
}

function after(move: MovePlan, current: WeightOverrides): WeightOverrides {
  return new Map([...current, ...move.changes.map(({ split, after }) => [split, after] as const)]);
}

function shareOf(weights: SplitWeights, destination: string): SplitWeights {
  const own = weights[destination] ?? 0;
  return { own, others: totalWeight(weights) - own };
}

describe("any move of any rules", () => {
  test("keeps foreign arms and the family's total, never leaves a rule without traffic, and stays in bounds", () => {
    fc.assert(
      fc.property(world, fc.array(asked, { minLength: 1, maxLength: 4 }), (world, requests) => {
        let current: WeightOverrides = new Map();
        for (const request of requests) {
          const move = plan(world, request, { current });
          if (move === undefined) continue;
          for (const change of move.changes) {
            expect(isSameShare(shareOf(change.before, foreign), shareOf(change.after, foreign))).toBe(true);
            expect(totalWeight(change.after)).toBeGreaterThan(0);
            expect(totalWeight(change.after)).toBeLessThanOrEqual(MAX_TOTAL_WEIGHT);
            expect(Object.values(change.after).every((share) => Number.isInteger(share) && share >= 0)).toBe(true);
            expect(Object.keys(change.after).toSorted()).toEqual(Object.keys(change.before).toSorted());
          }
          current = after(move, current);
        }
      }),
      { numRuns: 300 },
    );
  });

  test("names every rule exactly once, as changed or as staying", () => {
    fc.assert(
      fc.property(world, asked, (world, request) => {
        const move = plan(world, request);
        if (move === undefined) return;
        const named = [...move.changes, ...move.stays].map(({ rule }) => rule).toSorted((left, right) => left - right);
        expect(named).toEqual(world.rules.map((_, index) => index));
      }),
    );
  });

  test("is undone exactly by a rollback, and redone by another", () => {
    fc.assert(
      fc.property(world, asked, asked, (world, first, second) => {
        const early = plan(world, first);
        const current = early === undefined ? new Map() : after(early, new Map());
        const move = plan(world, second, { current });
        if (move === undefined || move.changes.every((change) => isSameShare(change.before, change.after))) return;
        const moved = after(move, current);
        const past: PastMove[] = [{ id: "m1", plan: move, outcome: "done" }];
        const back = plan(world, { verb: "rollback", to: {} }, { current: moved, history: past });
        expect(back?.changes.map(({ split, after }) => [split, after])).toEqual(
          move.changes.map(({ split, before }) => [split, before]),
        );
        if (back === undefined) return;
        past.push({ id: "m2", plan: back, outcome: "unproved" });
        const again = plan(world, { verb: "rollback", to: {} }, { current: after(back, moved), history: past });
        expect(again?.changes.map(({ after }) => after)).toEqual(move.changes.map(({ after }) => after));
      }),
      { numRuns: 300 },
    );
  });

  test("asked for twice changes nothing the second time", () => {
    fc.assert(
      fc.property(world, fc.constantFrom(...versions), (world, version) => {
        const request = { verb: "switch", to: { [version]: 100 } } as const;
        const move = plan(world, request);
        if (move === undefined) return;
        const repeated = plan(world, request, { current: after(move, new Map()) });
        expect(repeated?.changes.every((change) => isSameShare(change.before, change.after))).toBe(true);
      }),
      { numRuns: 300 },
    );
  });
});

describe("a switch of rules that are all on one version", () => {
  const settled: fc.Arbitrary<World> = fc
    .array(
      fc.record({
        legacy: fc.option(fc.integer({ min: 1, max: 1_000 }), { nil: undefined }),
        role: fc.constantFrom("public", "path", "tester"),
        total: fc.integer({ min: 1, max: 1_000 }),
      }),
      { minLength: 0, maxLength: 4 },
    )
    .map((sketches) => ({
      rules: [
        ...sketches.map(({ legacy, role, total }): RuleSketch => {
          if (role === "tester") return { header: "x-version: green", arms: { "app/blue": 0, "app/green": total } };
          const arms = { "app/blue": total, "app/green": 0, ...(legacy === undefined ? {} : { legacy }) };
          return role === "path" ? { path: "/part", arms } : { arms };
        }),
        { arms: { "app/blue": 100, "app/green": 0 } },
      ],
    }));

  test("there and back is the identity", () => {
    fc.assert(
      fc.property(settled, (world) => {
        const there = plan(world, { verb: "switch", to: { green: 100 } });
        expect(there).toBeDefined();
        if (there === undefined) return;
        const middle = after(there, new Map());
        const back = plan(world, { verb: "switch", to: { blue: 100 } }, { current: middle });
        expect(back).toBeDefined();
        if (back === undefined) return;
        const end = after(back, middle);
        for (const change of there.changes) {
          expect(end.get(change.split)).toEqual(change.before);
        }
      }),
    );
  });
});
