import { array, assert, integer, property, record, tuple } from "fast-check";
import { describe, expect, test } from "vitest";
import { limitReturn, renderShortage } from "./limit-return.ts";
import type { MovePlan } from "./move.ts";
import { isSameShare, totalWeight } from "./split-weights.ts";
import type { SplitWeights } from "../../routes/route-table.ts";

function planOf(before: SplitWeights, after: SplitWeights): MovePlan {
  const arms = [...new Set([...Object.keys(before), ...Object.keys(after)])];
  return {
    verb: "rollback",
    virtualService: "shop/web",
    from: "green",
    to: "blue",
    changes: [{ split: "public", rule: 0, ruleName: undefined, role: "public", declared: before, before, after }],
    stays: [],
    versions: arms.map((name) => ({ name, destinations: [name] })),
    actor: "ann",
    reason: undefined,
  };
}

function partOf(before: SplitWeights, after: SplitWeights, ready: readonly [now: object, atStart?: object]) {
  const [now, atStart] = ready;
  const { plan, waits } = limitReturn(planOf(before, after), { now: { ...now }, atStart: atStart && { ...atStart } });
  return { after: plan?.changes[0]?.after, waits: waits.map(renderShortage) };
}

const all = { blue: 100, green: 0 };
const none = { blue: 0, green: 100 };

describe("the part of a way back that can be made", () => {
  test("is all of it where every endpoint of before is ready, in the very weights that were asked for", () => {
    expect(partOf(none, all, [{ blue: 4, green: 4 }, { blue: 4 }])).toEqual({ after: all, waits: [] });
    expect(partOf(none, all, [{ blue: 6, green: 4 }, { blue: 4 }])).toEqual({ after: all, waits: [] });
  });

  test("is as much as the part of the endpoints that is ready", () => {
    expect(partOf(none, all, [{ blue: 2, green: 4 }, { blue: 4 }])).toEqual({
      after: { blue: 1, green: 1 },
      waits: ["2 of 4 endpoints of blue are ready, so 50 % is back"],
    });
    expect(partOf({ blue: 40, green: 60 }, { blue: 80, green: 20 }, [{ blue: 3, green: 4 }, { blue: 4 }])).toEqual({
      after: { blue: 3, green: 2 },
      waits: ["3 of 4 endpoints of blue are ready, so 75 % is back"],
    });
  });

  test("is nothing where as much is there already, and where nobody is ready", () => {
    expect(partOf({ blue: 50, green: 50 }, all, [{ blue: 2, green: 1 }, { blue: 4 }])).toEqual({
      after: undefined,
      waits: ["2 of 4 endpoints of blue are ready, so 50 % is back"],
    });
    expect(partOf(none, all, [{ blue: 0, green: 1 }])).toEqual({
      after: undefined,
      waits: ["0 endpoints of blue are ready, so nothing is back"],
    });
  });

  test("is nothing more while as many are ready as before, however the part was rounded", () => {
    for (const before of [none, { blue: 0, green: 1 }, { blue: 0, green: 7, red: 3 }, { blue: 1, green: 65_536 }]) {
      const ready: [object, object] = [{ blue: 2, green: 3, red: 3 }, { blue: 3 }];
      const { after = before } = partOf(before, all, ready);
      expect(share(after, "blue")).toBeCloseTo(2 / 3, 4);
      expect(partOf(after, all, ready).after).toBeUndefined();
      expect(partOf(after, all, [{ blue: 3, green: 3, red: 3 }, { blue: 3 }]).after).toEqual(all);
    }
  });

  test("is all of it where the version that would keep the rest has nobody, or it is not known what was there", () => {
    expect(partOf(none, all, [{ blue: 1, green: 0 }, { blue: 4 }]).after).toEqual(all);
    expect(partOf(none, all, [{ blue: 1, green: 4 }]).after).toEqual(all);
    expect(partOf(none, all, [{ green: 4 }, { blue: 4 }]).after).toEqual(all);
  });

  test("is of several rules what each version can take", () => {
    const one = planOf(none, all);
    const [change] = one.changes;
    if (change === undefined) throw new Error("The plan changes nothing.");
    const plan = { ...one, changes: [change, { ...change, split: "preview", before: all, after: none }] };
    const limited = limitReturn(plan, { now: { blue: 0, green: 2 }, atStart: { blue: 2, green: 2 } });
    expect(limited.plan?.changes.map(({ split, after }) => ({ split, after }))).toEqual([
      { split: "preview", after: none },
    ]);
  });
});

const share = (of: SplitWeights, arm: string): number => (of[arm] ?? 0) / totalWeight(of);
const arms = ["blue", "green", "red", "foreign"];
const weights = record({
  blue: integer({ min: 0, max: 1000 }),
  green: integer({ min: 0, max: 1000 }),
  red: integer({ min: 1, max: 1000 }),
});

test("whatever is ready, parts lie between before and after, and the last one is after", () => {
  assert(
    property(
      weights,
      weights,
      array(tuple(integer({ min: 0, max: 9 }), integer({ min: 0, max: 9 })), { minLength: 4, maxLength: 4 }),
      (first, last, counts) => {
        // What takes no part in a release keeps its share of the whole exactly.
        const before = { ...first, foreign: totalWeight(first) };
        const after = { ...last, foreign: totalWeight(last) };
        const ready = Object.fromEntries(arms.map((arm, index) => [arm, counts[index]?.[0] ?? 0]));
        const wanted = Object.fromEntries(arms.map((arm, index) => [arm, counts[index]?.[1] ?? 0]));
        const { plan, waits } = limitReturn(planOf(before, after), { now: ready, atStart: wanted });
        const part = plan?.changes[0]?.after ?? before;
        expect(Object.values(part).every((weight) => Number.isSafeInteger(weight) && weight >= 0)).toBe(true);
        expect(share(part, "foreign")).toBeCloseTo(0.5, 12);
        const isDeserted = arms.every((arm) => share(after, arm) >= share(before, arm) || ready[arm] === 0);
        for (const arm of arms) {
          const [from, to, is] = [share(before, arm), share(after, arm), share(part, arm)];
          expect(is).toBeGreaterThanOrEqual(Math.min(from, to) - 1e-9);
          expect(is).toBeLessThanOrEqual(Math.max(from, to) + 1e-9);
          if (is <= from + 1e-9) continue;
          expect(ready[arm]).toBeGreaterThan(0);
          const can = (ready[arm] ?? 0) / Math.max(1, wanted[arm] ?? 0);
          if (!isDeserted) expect(is).toBeLessThanOrEqual(to * can + 1e-9);
        }
        if (waits.length === 0) expect(isSameShare(part, after)).toBe(true);
      },
    ),
    { numRuns: 3_000 },
  );
});
