import { withVirtualHosts } from "../gateway-table.fixture.ts";
import { setTimeout as delay } from "node:timers/promises";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { RouteTable } from "../../src/core/routes/route-table.ts";
import { buildTable, destinationId, type TableShape, weights, XdsFixture } from "./xds-fixture.ts";

const nobody = 9;
const rounds = 6;

function tableOf(subsets: readonly string[], others = 0): RouteTable {
  const shape: TableShape = {
    versions: Object.fromEntries(subsets.map((subset) => [subset, [nobody]])),
    weights: Object.fromEntries(subsets.map((subset, index) => [subset, index === 0 ? 100 : 0])),
    others,
  };
  return subsets.length > 0 ? buildTable(shape) : withoutRoutes(buildTable(shape));
}

function withoutRoutes(table: RouteTable): RouteTable {
  return withVirtualHosts(table, (virtualHosts) => virtualHosts.map((host) => ({ ...host, routes: [] })));
}

/** A changed cluster warms anew beside the old one. */
function withTimeout(table: RouteTable, connectTimeoutMs: number): RouteTable {
  const destinations = [...table.destinations.values()].map(
    (destination) => [destination.id, { ...destination, policy: { ...destination.policy, connectTimeoutMs } }] as const,
  );
  return { ...table, destinations: new Map(destinations) };
}

test("a table without any destination is applied and proved, on a proxy that never asks for endpoints", async () => {
  await using fixture = await XdsFixture.open();
  const target = await fixture.startTarget({ drainMs: 10 });
  await fixture.startEnvoy("envoy-1", { concurrency: 1 });
  await expect.poll(() => target.status()[0]?.connected, { timeout: 10_000 }).toBe(true);
  expect(await target.applyTable(tableOf([]), new Map(), { timeoutMs: 10_000 })).toMatchObject({ kind: "applied" });
  expect(await target.applyTable(tableOf(["blue"]), new Map(), { timeoutMs: 10_000 })).toMatchObject({
    kind: "applied",
  });
  expect(await target.applyTable(tableOf([]), new Map(), { timeoutMs: 10_000 })).toMatchObject({ kind: "applied" });
  expect(await target.confirm({ timeoutMs: 10_000 })).toMatchObject({ kind: "applied" });
});

/** What happens to one Envoy: it runs for so long, is away for so long, and so on; it runs in the end. */
const lifetimes = fc.array(fc.record({ runMs: fc.integer({ min: 0, max: 900 }), awayMs: fc.nat(200) }), {
  maxLength: 3,
});

const step = fc.record({
  pauseMs: fc.nat(250),
  subsets: fc.constantFrom([], ["blue"], ["blue", "green"], ["blue", "green", "red"], ["green", "red"]),
  others: fc.constantFrom(0, 3, 300),
  connectTimeoutMs: fc.constantFrom(5_000, 6_000),
  restartsKirikae: fc.nat(4).map((draw) => draw === 0),
});

const story = fc.record({
  firstStartMs: fc.nat(300),
  lateStartMs: fc.nat(1_500),
  lives: fc.array(lifetimes, { minLength: 1, maxLength: 2 }),
  steps: fc.array(step, { minLength: 1, maxLength: 6 }),
});

type Step = typeof step extends fc.Arbitrary<infer Value> ? Value : never;

async function carryOut(fixture: XdsFixture, { pauseMs, subsets, others, connectTimeoutMs, restartsKirikae }: Step) {
  await delay(pauseMs);
  if (restartsKirikae) {
    await fixture.stopTarget();
    await fixture.startTarget({ drainMs: 50, rewriteDelayMs: 50 });
  }
  const table = withTimeout(tableOf(subsets, others), connectTimeoutMs);
  const report = await fixture.target.applyTable(table, new Map(), { timeoutMs: 15_000 });
  expect(report.kind).toMatch(/^(applied|published)$/);
  const [first, ...rest] = subsets.toReversed();
  if (first === undefined || rest.length === 0) return;
  const away = Object.fromEntries(subsets.map((subset) => [subset, subset === first ? 100 : 0]));
  // Only a proxy that is away in all of this time may leave it unproved; what happens after it is the point here.
  await fixture.target.apply(weights(away), { timeoutMs: 500 });
}

async function live(
  fixture: XdsFixture,
  node: string,
  { startMs, lives }: { startMs: number; lives: readonly Life[] },
) {
  await delay(startMs);
  for (const { runMs, awayMs } of lives) {
    await fixture.startEnvoy(node, { concurrency: 1 });
    await delay(runMs);
    await fixture.killEnvoy(node);
    await delay(awayMs);
  }
  await fixture.startEnvoy(node, { concurrency: 1 });
}

type Life = typeof lifetimes extends fc.Arbitrary<readonly (infer Value)[]> ? Value : never;

test(`Envoys that start and die at any moment of pushes and moves always get there, ${rounds} times`, async () => {
  await fc.assert(
    fc.asyncProperty(story, async ({ firstStartMs, lateStartMs, lives, steps }) => {
      const nodes = lives.map((_, index) => `envoy-${index + 1}`);
      await using fixture = await XdsFixture.open(nodes);
      await fixture.startTarget({ drainMs: 50, rewriteDelayMs: 50 });
      await Promise.all([
        ...nodes.map((node, index) =>
          live(fixture, node, { startMs: index === 0 ? firstStartMs : lateStartMs, lives: lives[index] ?? [] }),
        ),
        (async () => {
          for (const each of steps) await carryOut(fixture, each);
        })(),
      ]);
      expect(await fixture.target.confirm({ timeoutMs: 15_000 })).toMatchObject({ kind: "applied" });
      const last = tableOf(["blue", "green"]);
      expect(await fixture.target.applyTable(last, new Map(), { timeoutMs: 15_000 })).toMatchObject({
        kind: "applied",
        proxies: nodes.map((node) => ({ node })),
      });
      const [split] = await fixture.target.observe(["test/app/public"]);
      expect(split?.weights).toEqual({ [destinationId("blue")]: 100, [destinationId("green")]: 0 });
    }),
    { numRuns: rounds, endOnFailure: true, interruptAfterTimeLimit: 90_000 },
  );
}, 150_000);
