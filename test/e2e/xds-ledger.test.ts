import { setTimeout as delay } from "node:timers/promises";
import { expect, test } from "vitest";
import type { MovePlan } from "../../src/core/release/move.ts";
import {
  buildTable,
  destinationId,
  GatewayClient,
  splitId,
  startBackend,
  startLoad,
  weights,
  XdsFixture,
} from "./xds-fixture.ts";

const blueId = destinationId("blue");
const greenId = destinationId("green");

const plan: MovePlan = {
  verb: "switch",
  virtualService: "test/app",
  from: "blue",
  to: "green",
  changes: [
    {
      split: splitId,
      rule: 0,
      ruleName: undefined,
      role: "public",
      declared: { [blueId]: 100, [greenId]: 0 },
      before: { [blueId]: 100, [greenId]: 0 },
      after: { [blueId]: 0, [greenId]: 100 },
    },
  ],
  stays: [],
  versions: [
    { name: "blue", destinations: [blueId] },
    { name: "green", destinations: [greenId] },
  ],
  actor: "test",
  reason: undefined,
};

/** The same clock as the engine's. */
function nowMs(): number {
  return performance.timeOrigin + performance.now();
}

test("the ledger counts every request of a switch, once", async () => {
  await using blue = await startBackend("blue");
  await using green = await startBackend("green");
  await using fixture = await XdsFixture.open();
  const table = buildTable({ versions: { blue: [blue.port], green: [green.port] }, weights: { blue: 100, green: 0 } });
  const target = await fixture.startTarget();
  await target.applyTable(table, new Map());
  await fixture.startEnvoy();
  await target.confirm({ timeoutMs: 30_000 });
  await fixture.whenLive();
  await using session = await target.openLedger(plan);
  const load = startLoad(fixture.port, 8);
  await delay(100);
  session.markCall(nowMs());
  expect((await target.apply(weights({ blue: 0, green: 100 }), { timeoutMs: 5_000 })).kind).toBe("proved");
  session.markDone(nowMs());
  await delay(100);
  const answers = await load.stop();
  using client = new GatewayClient(fixture.port, 1);
  expect((await client.get("/?status=500")).status).toBe(500);
  const ledger = await session.close();
  expect(ledger).toMatchObject({
    requests: answers.length + 1,
    ok: answers.length,
    failed: 1,
    clientGone: 0,
    oldAfterDone: 0,
    isComplete: true,
    byVersion: {
      blue: answers.filter(({ body }) => body === "blue").length,
      green: answers.filter(({ body }) => body === "green").length + 1,
    },
  });
  expect(ledger.failures).toEqual(["500 via_upstream from green"]);
  expect(ledger.lastOldMs ?? 0).toBeLessThan(50);
  const idle = await target.openLedger(plan);
  expect(await idle.close()).toMatchObject({ requests: 0, lastOldMs: null, isComplete: true });
  expect((await target.stats()).get(greenId)).toMatchObject({ errors: 1 });
});

test("preflight wants a connected proxy and an answer below 500", async () => {
  await using blue = await startBackend("blue");
  await using green = await startBackend("green");
  await using fixture = await XdsFixture.open();
  const versions = { blue: [blue.port], green: [green.port] };
  const target = await fixture.startTarget();
  await target.applyTable(buildTable({ versions, weights: { blue: 100, green: 0 } }), new Map());
  expect(await target.preflight(plan)).toMatchObject({ ok: false });
  await fixture.startEnvoy();
  await target.confirm({ timeoutMs: 30_000 });
  expect(await target.preflight(plan)).toMatchObject({ ok: true });
  await target.applyTable(
    buildTable({ versions: { ...versions, green: [] }, weights: { blue: 100, green: 0 } }),
    new Map(),
  );
  const report = await target.preflight(plan);
  expect(report.ok).toBe(false);
  expect(report.checks.map(({ verdict }) => verdict)).toEqual(["pass", "fail"]);
  await target.applyTable(
    buildTable({ versions: { ...versions, green: [1] }, weights: { blue: 100, green: 0 } }),
    new Map(),
  );
  expect((await target.preflight(plan)).checks.at(-1)).toMatchObject({ verdict: "fail" });
});
