import { describe, expect, test } from "vitest";
import type { MovePlan, SplitChange } from "../../src/core/release/move/move.ts";
import { totalWeight } from "../../src/core/release/move/split-weights.ts";
import type { SplitId, SplitWeights, WeightOverrides } from "../../src/core/routes/route-table.ts";
import type { Target } from "../../src/engine/ports.ts";

/** A target that has been brought up, with what the suite needs to know about it. */
export interface TargetFixture extends AsyncDisposable {
  readonly target: Target;
  /** At least two splits of at least two arms each, with the weights that are live when the fixture is handed over. */
  readonly splits: ReadonlyMap<SplitId, SplitWeights>;
  /** Makes the next apply be refused by the proxies; undefined where a target cannot be made to refuse. */
  readonly rejectNext?: () => void;
  /** A target that sees no requests gives no ledger; every other one has to. */
  readonly givesNoCounts?: true;
  /** Sends so many requests through each split; undefined where a target carries no traffic. */
  readonly sendRequests?: (perSplit: number) => Promise<void>;
}

export interface TargetContract {
  readonly name: string;
  readonly createFixture: () => Promise<TargetFixture>;
  readonly timeoutMs?: number;
}

/** What the engine relies upon, whichever target it is. Every target runs it. */
export function describeTarget({ name, createFixture, timeoutMs = 5_000 }: TargetContract): void {
  const options = { timeoutMs };

  describe(`${name} keeps the contract of a target`, () => {
    test("shows the weights that it was given", async () => {
      await using fixture = await createFixture();
      const weights = turned(fixture.splits);
      expect(await fixture.target.apply(weights, options)).toMatchObject({ kind: "proved" });
      expect(await liveShares(fixture)).toEqual(percentages(weights));
    });

    test("measures every proxy, none longer than the whole", async () => {
      await using fixture = await createFixture();
      const report = await fixture.target.apply(turned(fixture.splits), options);
      if (report.kind !== "proved") throw new Error(`The apply was ${report.kind}.`);
      expect(report.proxies.length).toBeGreaterThan(0);
      for (const { ackMs, workersMs } of report.proxies) {
        expect(ackMs).toBeLessThanOrEqual(report.callToProofMs);
        expect(workersMs).toBeLessThanOrEqual(report.callToProofMs);
      }
    });

    test("shows weights that no move has touched", async () => {
      await using fixture = await createFixture();
      expect(await liveShares(fixture)).toEqual(percentages(fixture.splits));
    });

    test("leaves splits alone that an apply does not name", async () => {
      await using fixture = await createFixture();
      const [first] = turned(fixture.splits);
      if (first === undefined) throw new Error("The fixture has no split.");
      await fixture.target.apply(new Map([first]), options);
      expect(await liveShares(fixture)).toEqual(percentages(new Map([...fixture.splits, first])));
    });

    test("proves weights that are already live", async () => {
      await using fixture = await createFixture();
      const weights = turned(fixture.splits);
      await fixture.target.apply(weights, options);
      expect(await fixture.target.apply(weights, options)).toMatchObject({ kind: "proved" });
      expect(await liveShares(fixture)).toEqual(percentages(weights));
    });

    test("divides traffic unevenly when asked to", async () => {
      await using fixture = await createFixture();
      const weights = divided(fixture.splits, [9, 1]);
      expect(await fixture.target.apply(weights, options)).toMatchObject({ kind: "proved" });
      expect(await liveShares(fixture)).toEqual(percentages(weights));
    });

    test("takes applies at the same time one after the other, the last one staying", async () => {
      await using fixture = await createFixture();
      const rounds = [turned(fixture.splits), divided(fixture.splits, [1, 1]), divided(fixture.splits, [1, 3])];
      const reports = await Promise.all(rounds.map(async (weights) => await fixture.target.apply(weights, options)));
      expect(reports.map(({ kind }) => kind)).toEqual(["proved", "proved", "proved"]);
      expect(await liveShares(fixture)).toEqual(percentages(rounds.at(-1) ?? new Map()));
    });

    test("goes there and back", async () => {
      await using fixture = await createFixture();
      await fixture.target.apply(turned(fixture.splits), options);
      await fixture.target.apply(fixture.splits, options);
      expect(await liveShares(fixture)).toEqual(percentages(fixture.splits));
    });

    test("keeps what was live when a proxy refuses, and takes the next weights", async (context) => {
      await using fixture = await createFixture();
      if (fixture.rejectNext === undefined) return context.skip("the target cannot be made to refuse");
      fixture.rejectNext();
      const weights = turned(fixture.splits);
      expect(await fixture.target.apply(weights, options)).toMatchObject({ kind: "rejected" });
      expect(await liveShares(fixture)).toEqual(percentages(fixture.splits));
      expect(await fixture.target.apply(weights, options)).toMatchObject({ kind: "proved" });
      return undefined;
    });

    test("does not take weights that are all 0", async () => {
      await using fixture = await createFixture();
      const [split] = fixture.splits.keys();
      const nothing = new Map([[split ?? "", zeroed(fixture.splits.get(split ?? "") ?? {})]]);
      const kind = await fixture.target.apply(nothing, options).then(
        (report) => report.kind,
        () => "threw",
      );
      expect(["rejected", "threw"]).toContain(kind);
      expect(await liveShares(fixture)).toEqual(percentages(fixture.splits));
    });

    test("passes preflight where every version can answer", async () => {
      await using fixture = await createFixture();
      expect(await fixture.target.preflight(planOf(fixture.splits))).toMatchObject({ ok: true });
    });

    test("keeps a ledger whose sums agree", async () => {
      await using fixture = await createFixture();
      const plan = planOf(fixture.splits);
      await using session = await fixture.target.openLedger(plan);
      await fixture.sendRequests?.(20);
      session.markCall(performance.timeOrigin + performance.now());
      await fixture.target.apply(turned(fixture.splits), options);
      session.markDone(performance.timeOrigin + performance.now());
      await fixture.sendRequests?.(20);
      const ledger = await session.close();
      if (ledger === undefined) {
        expect(fixture.givesNoCounts).toBe(true);
        return;
      }
      expect(ledger.requests).toBe(ledger.ok + ledger.failed);
      expect(Object.values(ledger.byVersion).reduce((sum, count) => sum + count, 0)).toBe(ledger.requests);
      expect(ledger).toMatchObject({ failed: 0, oldAfterDone: 0, isComplete: true });
      expect(ledger.requests).toBe(fixture.sendRequests === undefined ? 0 : 40 * fixture.splits.size);
    });
  });
}

/** What the target shows, in percent by split and destination. */
async function liveShares({ target, splits }: TargetFixture): Promise<ReturnType<typeof percentages>> {
  const observed = await target.observe([...splits.keys()]);
  return percentages(new Map(observed.map(({ split, weights = {} }) => [split, weights])));
}

function percentages(weights: WeightOverrides): Readonly<Record<SplitId, Readonly<Record<string, number>>>> {
  return Object.fromEntries(
    [...weights].map(([split, arms]) => {
      const total = totalWeight(arms);
      const shares = Object.entries(arms).filter(([, weight]) => weight > 0);
      return [split, Object.fromEntries(shares.map(([arm, weight]) => [arm, (weight / total) * 100]))];
    }),
  );
}

/** All traffic to the arm that has least. */
function turned(splits: WeightOverrides): WeightOverrides {
  return new Map(
    [...splits].map(([split, weights]) => {
      const [least] = Object.entries(weights).toSorted(([, left], [, right]) => left - right);
      return [split, { ...zeroed(weights), [least?.[0] ?? ""]: 100 }];
    }),
  );
}

function divided(splits: WeightOverrides, [first, second]: readonly [number, number]): WeightOverrides {
  return new Map(
    [...splits].map(([split, weights]) => {
      const [one = "", two = ""] = Object.keys(weights);
      return [split, { ...zeroed(weights), [one]: first, [two]: second }];
    }),
  );
}

function zeroed(weights: SplitWeights): SplitWeights {
  return Object.fromEntries(Object.keys(weights).map((destination) => [destination, 0]));
}

function planOf(splits: WeightOverrides): MovePlan {
  const after = turned(splits);
  const changes = [...splits].map(([split, before], rule): SplitChange => ({
    split,
    rule,
    ruleName: undefined,
    role: "public",
    declared: before,
    before,
    after: after.get(split) ?? before,
  }));
  const destinations = [...new Set(changes.flatMap(({ before }) => Object.keys(before)))];
  return {
    verb: "switch",
    virtualService: changes[0]?.split.split("/").slice(0, 2).join("/") ?? "",
    from: destinations[0] ?? "",
    to: destinations.at(-1) ?? "",
    changes,
    stays: [],
    versions: destinations.map((destination) => ({ name: destination, destinations: [destination] })),
    actor: "contract",
    reason: undefined,
  };
}
