import { withVirtualHosts } from "../gateway-table.fixture.ts";
import { setTimeout as delay } from "node:timers/promises";
import { expect, test } from "vitest";
import { KirikaeError } from "../../src/core/diagnostics/error.ts";
import type { MovePlan } from "../../src/core/release/move/move.ts";
import type { RouteTable } from "../../src/core/routes/route-table.ts";
import type { LocalEnvoyTarget } from "../../src/targets/local-envoy/local-envoy-target.ts";
import {
  type Answer,
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

function planFor(split: string): MovePlan {
  return {
    verb: "switch",
    virtualService: split,
    from: "blue",
    to: "green",
    changes: [
      {
        split,
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
}

const plan = planFor(splitId);
/** The last route of the virtual host `app-0.test` of the fixture's table. */
const otherSplitId = "test/app-0/3";

interface Mesh extends AsyncDisposable {
  readonly fixture: XdsFixture;
  readonly target: LocalEnvoyTarget;
  /** For `app.test` and `app-0.test`. */
  readonly table: RouteTable;
}

async function startMesh(): Promise<Mesh> {
  const stack = new AsyncDisposableStack();
  const blue = stack.use(await startBackend("blue"));
  const green = stack.use(await startBackend("green"));
  const fixture = stack.use(await XdsFixture.open());
  const versions = { blue: [blue.port], green: [green.port] };
  const table = buildTable({ versions, weights: { blue: 100, green: 0 }, others: 1 });
  const target = await fixture.startTarget();
  await target.applyTable(table, new Map());
  await fixture.startEnvoy();
  await target.confirm({ timeoutMs: 30_000 });
  await fixture.whenLive();
  return { fixture, target, table, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

async function moveUnderLoad({ fixture, target }: Mesh, move: { split: string; host: string; lasts: number }) {
  await using session = await target.openLedger(planFor(move.split));
  const load = startLoad(fixture.port, 4, move.host);
  await delay(50);
  session.markCall(nowMs());
  const weight = { [blueId]: 0, [greenId]: 100 };
  expect(await target.apply(new Map([[move.split, weight]]), { timeoutMs: 5_000 })).toMatchObject({ kind: "proved" });
  session.markDone(nowMs());
  await delay(move.lasts);
  const answers = await load.stop();
  return { answers, ledger: await session.close() };
}

function countsOf(answers: readonly Answer[]) {
  const count = (color: string) => answers.filter(({ body }) => body === color).length;
  return {
    requests: answers.length,
    ok: answers.length,
    failed: 0,
    oldAfterDone: 0,
    isComplete: true,
    byVersion: { blue: count("blue"), green: count("green") },
  };
}

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
  expect(ledger?.failures).toEqual(["500 via_upstream from green"]);
  expect(ledger?.lastOldMs ?? 0).toBeLessThan(50);
  const idle = await target.openLedger(plan);
  expect(await idle.close()).toMatchObject({ requests: 0, lastOldMs: null, isComplete: true });
  expect((await target.stats())?.get(greenId)).toMatchObject({ errors: 1 });
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

test("moves of two VirtualServices that overlap in any way are counted exactly, each on its own", async () => {
  await using mesh = await startMesh();
  const { target } = mesh;
  const back = new Map([splitId, otherSplitId].map((split) => [split, { [blueId]: 100, [greenId]: 0 }]));
  for (const lasts of [0, 60, 120, 200, 300, 400]) {
    await target.apply(back, { timeoutMs: 5_000 });
    const first = moveUnderLoad(mesh, { split: splitId, host: "app.test", lasts: 200 });
    // The other one begins while the first counts, closes, or has closed, and ends before, with or after it.
    await delay(lasts);
    const second = moveUnderLoad(mesh, { split: otherSplitId, host: "app-0.test", lasts: 400 - lasts });
    for (const { answers, ledger } of await Promise.all([first, second])) {
      expect(answers.length).toBeGreaterThan(0);
      expect(ledger).toMatchObject(countsOf(answers));
    }
  }
  using client = new GatewayClient(mesh.fixture.port, 1);
  const written = async () => {
    using admin = mesh.fixture.admin();
    return (await admin.stats("logs_written$", { usedOnly: false })).get("access_logs.grpc_access_log.logs_written");
  };
  const before = await written();
  await client.get();
  expect(await written()).toBe(before);
});

test("ledgers that open and close at the same time all count", async () => {
  await using mesh = await startMesh();
  using client = new GatewayClient(mesh.fixture.port, 4);
  await Promise.all(
    Array.from({ length: 12 }, async (_, index) => {
      await delay(index * 7);
      await using session = await mesh.target.openLedger(planFor(index % 2 === 0 ? splitId : otherSplitId));
      const host = index % 2 === 0 ? "app.test" : "app-0.test";
      for (let count = 0; count < 5; count += 1) await client.get("/", host);
      const ledger = await session.close();
      expect(ledger).toMatchObject({ isComplete: true, failed: 0 });
      expect(ledger?.requests).toBeGreaterThanOrEqual(5);
    }),
  );
});

test("requests that lose their route while a move is counted are failures of no version", async () => {
  await using mesh = await startMesh();
  const { target, table, fixture } = mesh;
  await using session = await target.openLedger(plan);
  using client = new GatewayClient(fixture.port, 1);
  const ask = async (host: string) => (await client.get("/", host)).status;
  expect(await ask("App.test:8080")).toBe(200);
  const without = withVirtualHosts(table, (all) => all.filter(({ domain }) => domain !== "app.test"));
  expect(await target.applyTable(without, new Map())).toMatchObject({ kind: "applied" });
  expect(await ask("App.test:8080")).toBe(404);
  expect(await ask("app.test")).toBe(404);
  expect(await ask("nobody.test")).toBe(404);
  expect(await ask("app-0.test")).toBe(200);
  expect(await session.close()).toMatchObject({
    requests: 3,
    ok: 1,
    failed: 2,
    byVersion: { blue: 1, green: 0, other: 2 },
    failures: ["404 no route (NR) from no version", "404 no route (NR) from no version"],
    isComplete: true,
  });
});

test("a ledger during which a proxy was started anew is incomplete, and the next one is not", async () => {
  await using mesh = await startMesh();
  const { target, fixture } = mesh;
  for (const asksAgain of [false, true]) {
    await using session = await target.openLedger(plan);
    using client = new GatewayClient(fixture.port, 1);
    await client.get();
    await fixture.killEnvoy();
    await fixture.startEnvoy();
    await target.confirm({ timeoutMs: 30_000 });
    await fixture.whenLive();
    if (asksAgain) for (let count = 0; count < 20; count += 1) await client.get();
    // It would join a count that has lost records.
    await expect(target.openLedger(planFor(otherSplitId))).rejects.toMatchObject({ code: "KIR3006" });
    expect(await session.close()).toMatchObject({ isComplete: false });
  }
  await using session = await target.openLedger(plan);
  expect(await session.close()).toMatchObject({ requests: 0, isComplete: true });
});

test("no ledger is opened while a proxy cannot be seen to count, and none is left open by the attempt", async () => {
  await using mesh = await startMesh();
  const { target, fixture } = mesh;
  await fixture.killEnvoy();
  await expect(target.openLedger(plan)).rejects.toMatchObject({ code: "KIR3006", exitStatus: 1 });
  await fixture.startEnvoy();
  await target.confirm({ timeoutMs: 30_000 });
  await fixture.whenLive();
  const { ledger, answers } = await moveUnderLoad(mesh, { split: splitId, host: "app.test", lasts: 50 });
  expect(ledger).toMatchObject(countsOf(answers));
});

test("whenever a proxy is killed between opening and closing, the ledger is incomplete", async () => {
  await using mesh = await startMesh();
  const { target, fixture } = mesh;
  for (const afterMs of [0, 5, 10, 20, 40, 80, 100, 120, 140]) {
    let phase: "opening" | "open" | "closing" = "opening";
    const count = async () => {
      await using session = await target.openLedger(plan);
      phase = "open";
      await delay(80);
      phase = "closing";
      return (await session.close())?.isComplete;
    };
    const load = startLoad(fixture.port, 2);
    const counting = count().catch((error: unknown) => (error instanceof KirikaeError ? error.code : String(error)));
    await delay(afterMs);
    const killedWhile: string = phase;
    await fixture.killEnvoy();
    await fixture.startEnvoy();
    const outcome = await counting;
    await load.stop();
    expect(killedWhile === "open" ? [false] : ["KIR3006", false, true]).toContain(outcome);
    await target.confirm({ timeoutMs: 30_000 });
    await fixture.whenLive();
  }
});
