import { withVirtualHosts } from "../gateway-table.fixture.ts";
import { setTimeout as delay } from "node:timers/promises";
import { expect, test } from "vitest";
import { addRoutes } from "../../src/core/routes/add-routes.ts";
import type { RouteTable } from "../../src/core/routes/route-table.ts";
import {
  type Backend,
  buildRoute,
  buildTable,
  destinationId,
  GatewayClient,
  splitId,
  startBackend,
  startLoad,
  weights,
  XdsFixture,
} from "./xds-fixture.ts";

interface Running extends AsyncDisposable {
  readonly fixture: XdsFixture;
  readonly blue: Backend;
  readonly green: Backend;
  readonly client: GatewayClient;
  table(shape?: { weights?: Record<string, number>; subsets?: readonly ("blue" | "green")[] }): RouteTable;
}

async function start(options: Parameters<XdsFixture["startTarget"]>[0] = {}): Promise<Running> {
  await using cleanup = new AsyncDisposableStack();
  const blue = cleanup.use(await startBackend("blue"));
  const green = cleanup.use(await startBackend("green"));
  const fixture = cleanup.use(await XdsFixture.open());
  const client = cleanup.use(new GatewayClient(fixture.port, 4));
  const ports: Readonly<Record<string, readonly number[]>> = { blue: [blue.port], green: [green.port] };
  const table: Running["table"] = ({ weights: shares = { blue: 100, green: 0 }, subsets = ["blue", "green"] } = {}) =>
    buildTable({
      versions: Object.fromEntries(subsets.map((subset) => [subset, ports[subset] ?? []])),
      weights: Object.fromEntries(subsets.map((subset) => [subset, shares[subset] ?? 0])),
    });
  await fixture.startTarget({ rewriteDelayMs: 3_600_000, drainMs: 50, ...options });
  await fixture.startEnvoy();
  await fixture.target.applyTable(table(), new Map());
  expect(await fixture.target.confirm({ timeoutMs: 30_000 })).toMatchObject({ kind: "applied" });
  await fixture.whenLive();
  const owned = cleanup.move();
  return { fixture, blue, green, client, table, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

test("a switch is proved by every worker and seen by the next request", async () => {
  await using running = await start();
  const { client } = running;
  expect((await client.get()).body).toBe("blue");
  const report = await running.fixture.target.apply(weights({ blue: 0, green: 100 }), { timeoutMs: 5_000 });
  expect(report).toMatchObject({ kind: "proved", proxies: [{ node: "envoy-1" }] });
  expect((await client.get()).body).toBe("green");
  expect(await running.fixture.target.observe([splitId])).toEqual([
    { split: splitId, weights: { [destinationId("blue")]: 0, [destinationId("green")]: 100 } },
  ]);
});

test("200 switches under load: no failure, and no request begun after the call returned is answered by the old version", async () => {
  await using running = await start();
  const load = startLoad(running.fixture.port, 8);
  const claims: { readonly fromMs: number; readonly toMs: number; readonly live: string }[] = [];
  for (let round = 0; round < 200; round += 1) {
    const live = round % 2 === 0 ? "green" : "blue";
    const report = await running.fixture.target.apply(
      weights({ blue: live === "blue" ? 100 : 0, green: live === "green" ? 100 : 0 }),
      { timeoutMs: 5_000 },
    );
    const fromMs = performance.now();
    expect(report.kind).toBe("proved");
    await delay(6);
    claims.push({ fromMs, toMs: performance.now(), live });
  }
  const answers = await load.stop();
  expect(answers.filter(({ status }) => status !== 200)).toEqual([]);
  // An answer that ended after the next call may be of either version.
  const claimed = answers.flatMap((answer) => {
    const claim = claims.find(({ fromMs, toMs }) => fromMs < answer.startMs && answer.endMs < toMs);
    return claim === undefined ? [] : [{ ...answer, live: claim.live }];
  });
  const old = claimed.filter(({ body, live }) => body !== live);
  expect(old).toEqual([]);
  expect(claimed.length).toBeGreaterThan(500);
});

test("weights without any share and unknown splits are refused before anything is sent", async () => {
  await using running = await start();
  const { target } = running.fixture;
  await expect(target.apply(weights({ blue: 0, green: 0 }), { timeoutMs: 1_000 })).rejects.toMatchObject({
    code: "KIR3002",
  });
  await expect(target.apply(new Map([["nobody", {}]]), { timeoutMs: 1_000 })).rejects.toMatchObject({
    code: "KIR3001",
  });
  expect((await running.client.get()).body).toBe("blue");
});

test("a refused table leaves what ran before, and names resource and reason", async () => {
  await using running = await start();
  const { target } = running.fixture;
  const good = running.table();
  const [listener] = good.listeners;
  if (listener === undefined) throw new Error("no listener");
  const bad = withVirtualHosts(good, (hosts) => [...hosts.slice(0, 1), ...hosts.slice(0, 1)]);
  expect(await target.applyTable(bad, new Map())).toMatchObject({
    kind: "rejected",
    isRestored: true,
    node: "envoy-1",
    resource: listener.id,
    message: expect.stringContaining("app.test"),
  });
  expect((await running.client.get()).body).toBe("blue");
  expect(await target.apply(weights({ blue: 0, green: 100 }), { timeoutMs: 5_000 })).toMatchObject({ kind: "proved" });
  expect((await running.client.get()).body).toBe("green");
  expect(target.status()[0]?.types.every(({ nack }) => nack === undefined)).toBe(true);
});

test("a route to a destination that nobody declared answers 503 and takes no other route down", async () => {
  await using running = await start();
  const table = running.table();
  const lost = { domain: "lost.test", requiresHttps: false, routes: [buildRoute("test/lost/0", { nowhere: 1 })] };
  const report = await running.fixture.target.applyTable(
    withVirtualHosts(table, (hosts) => [...hosts, lost]),
    new Map(),
  );
  expect(report.kind).toBe("applied");
  expect((await running.client.get("/", "lost.test")).status).toBe(503);
  expect((await running.client.get()).body).toBe("blue");
});

test("dropping and adding a subset under load fails no request", async () => {
  await using running = await start();
  const { target, port } = running.fixture;
  const load = startLoad(port, 8);
  for (let round = 0; round < 3; round += 1) {
    const onlyGreen = running.table({ subsets: ["green"], weights: { green: 100 } });
    expect(await target.applyTable(onlyGreen, new Map())).toMatchObject({ kind: "applied" });
    await target.whenDrained();
    expect(await target.applyTable(running.table(), new Map())).toMatchObject({ kind: "applied" });
    await delay(20);
  }
  const answers = await load.stop();
  expect(answers.filter(({ status }) => status !== 200)).toEqual([]);
  expect(new Set(answers.map(({ body }) => body))).toEqual(new Set(["blue", "green"]));
});

test("a removed destination is kept until its last request has ended", async () => {
  await using running = await start();
  const { target } = running.fixture;
  const slow = running.client.get("/?delay=600");
  await delay(50);
  await target.applyTable(running.table({ subsets: ["green"], weights: { green: 100 } }), new Map());
  await target.whenDrained();
  expect(await slow).toMatchObject({ status: 200, body: "blue" });
  const admin = running.fixture.admin();
  expect(await admin.get("/clusters")).not.toContain(destinationId("blue"));
  admin[Symbol.dispose]();
});

test("the routes are rewritten to the moved weights, and then the runtime layer is empty", async () => {
  await using running = await start({ rewriteDelayMs: 20 });
  const { fixture, client } = running;
  const load = startLoad(fixture.port, 4);
  await fixture.target.apply(weights({ blue: 0, green: 100 }), { timeoutMs: 5_000 });
  const movedAtMs = performance.now();
  const admin = fixture.admin();
  await expect.poll(async () => [...(await admin.runtime()).keys()].filter((key) => key.includes("split"))).toEqual([]);
  expect(await admin.get("/config_dump?resource=dynamic_route_configs")).toMatch(/green[^}]*"weight": 100/);
  const answers = await load.stop();
  expect(answers.filter(({ startMs, body }) => startMs > movedAtMs && body !== "green")).toEqual([]);
  expect((await client.get()).body).toBe("green");
  admin[Symbol.dispose]();
});

test("a table edit keeps moved weights that it is given, whichever arms it adds or drops", async () => {
  await using running = await start();
  const { target, port } = running.fixture;
  const load = startLoad(port, 4);
  await target.apply(weights({ blue: 0, green: 100 }), { timeoutMs: 5_000 });
  const movedAtMs = performance.now();
  await target.applyTable(running.table(), weights({ blue: 0, green: 100 }));
  await delay(30);
  const endedAtMs = performance.now();
  expect(
    await target.applyTable(running.table({ subsets: ["blue"], weights: { blue: 100 } }), new Map()),
  ).toMatchObject({ kind: "applied" });
  const answers = await load.stop();
  expect(answers.filter(({ status }) => status !== 200)).toEqual([]);
  const between = answers.filter(({ startMs }) => startMs > movedAtMs && startMs < endedAtMs - 5);
  expect(between.filter(({ body }) => body !== "green")).toEqual([]);
  expect((await running.client.get()).body).toBe("blue");
});

test("what a release lays over routes takes no weight from moves beside it, and loses no request", async () => {
  await using running = await start();
  const { target, port } = running.fixture;
  const load = startLoad(port, 4);
  const marks = [{ headers: { "x-preview": { kind: "present" } as const }, cookies: {}, query: {} }];
  const addition = { kind: "preview", name: "testers", to: { [splitId]: destinationId("green") }, marks } as const;
  const plain = running.table();
  const laid = addRoutes(plain, [{ release: "ns/r", addition }]);
  for (let round = 0; round < 12; round += 1) {
    const live = round % 2 === 0 ? "green" : "blue";
    const isGreen = live === "green";
    const move = () =>
      target.apply(weights({ blue: isGreen ? 0 : 100, green: isGreen ? 100 : 0 }), { timeoutMs: 5_000 });
    const lay = () => target.applyTable(round % 3 === 0 ? plain : laid, undefined);
    const reports = round % 4 < 2 ? [move(), lay()] : [lay(), move()];
    expect((await Promise.all(reports)).map(({ kind }) => kind).toSorted()).toEqual(["applied", "proved"]);
    expect((await running.client.get()).body).toBe(live);
  }
  const answers = await load.stop();
  expect(answers.filter(({ status }) => status !== 200)).toEqual([]);
});

test("a move that waits for routes of a proxy that stands still has its whole time after them", async () => {
  await using running = await start();
  const { target } = running.fixture;
  running.fixture.signalEnvoy("SIGSTOP");
  const pushed = target.applyTable(running.table({ weights: { blue: 99, green: 1 } }), undefined);
  const moved = target.apply(weights({ blue: 0, green: 100 }), { timeoutMs: 2_000 });
  await delay(2_500);
  running.fixture.signalEnvoy("SIGCONT");
  expect(await pushed).toMatchObject({ kind: "applied" });
  expect(await moved).toMatchObject({ kind: "proved" });
  expect((await running.client.get()).body).toBe("green");
});

test.each(["static", "dns"] as const)(
  "endpoints of %s resolution follow without a route change",
  async (resolution) => {
    await using green = await startBackend("second");
    let ports: number[] = [];
    await using running = await start({ endpoints: () => ports.map((port) => ({ address: "127.0.0.1", port })) });
    const { target } = running.fixture;
    const table = running.table();
    const moved = table.destinations.get(destinationId("blue"));
    if (moved === undefined) throw new Error("no destination");
    const destinations = new Map(table.destinations);
    destinations.set(moved.id, { ...moved, resolution, endpoints: [{ kind: "localWorkload", name: "test/app" }] });
    await target.applyTable({ ...table, destinations }, new Map());
    expect((await running.client.get()).status).toBe(503);
    const routesSent = target.bytesSent.routes;
    ports = [green.port];
    await target.updateEndpoints();
    expect((await running.client.get()).body).toBe("second");
    expect(target.bytesSent.routes).toBe(routesSent);
  },
);
