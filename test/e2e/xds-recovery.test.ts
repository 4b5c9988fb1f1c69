import { expect, test } from "vitest";
import { buildTable, GatewayClient, splitId, startBackend, startLoad, weights, XdsFixture } from "./xds-fixture.ts";

const toGreen = weights({ blue: 0, green: 100 });

async function waitUntilConnected(fixture: XdsFixture): Promise<void> {
  await expect.poll(() => fixture.target.status()[0]?.connected, { timeout: 10_000 }).toBe(true);
}

test("an Envoy that was killed comes back with the current weights", async () => {
  await using blue = await startBackend("blue");
  await using green = await startBackend("green");
  await using fixture = await XdsFixture.open();
  const table = buildTable({ versions: { blue: [blue.port], green: [green.port] }, weights: { blue: 100, green: 0 } });
  const target = await fixture.startTarget({ rewriteDelayMs: 3_600_000 });
  await target.applyTable(table, new Map());
  await fixture.startEnvoy();
  await target.confirm({ timeoutMs: 30_000 });
  await target.apply(toGreen, { timeoutMs: 5_000 });
  await fixture.killEnvoy();
  await expect.poll(() => target.status()[0]?.connected).toBe(false);
  expect(await target.apply(toGreen, { timeoutMs: 200 })).toMatchObject({ kind: "unproved" });
  await fixture.startEnvoy();
  expect(await target.confirm({ timeoutMs: 30_000 })).toMatchObject({ kind: "applied" });
  await fixture.whenLive();
  using client = new GatewayClient(fixture.port, 1);
  for (let round = 0; round < 20; round += 1) expect((await client.get()).body).toBe("green");
  const admin = fixture.admin();
  expect(await admin.get("/config_dump?resource=dynamic_route_configs")).toMatch(/green[^}]*"weight": 100/);
  admin[Symbol.dispose]();
  expect(await target.apply(weights({ blue: 100, green: 0 }), { timeoutMs: 5_000 })).toMatchObject({ kind: "proved" });
  expect((await client.get()).body).toBe("blue");
});

test("a new kirikae takes over a running Envoy: nothing fails, nothing flickers, and only what differs is sent", async () => {
  await using blue = await startBackend("blue");
  await using green = await startBackend("green");
  await using fixture = await XdsFixture.open();
  const table = buildTable({ versions: { blue: [blue.port], green: [green.port] }, weights: { blue: 100, green: 0 } });
  await fixture.startTarget({ rewriteDelayMs: 3_600_000 });
  await fixture.target.applyTable(table, new Map());
  await fixture.startEnvoy();
  await fixture.target.confirm({ timeoutMs: 30_000 });
  await fixture.whenLive();
  // The weights are in the runtime layer only: the worst moment to die.
  await fixture.target.apply(toGreen, { timeoutMs: 5_000 });
  const load = startLoad(fixture.port, 4);
  await fixture.stopTarget();
  const next = await fixture.startTarget({ rewriteDelayMs: 3_600_000, drainMs: 50 });
  const [observed] = await next.observe([splitId]);
  expect(Object.values(observed?.weights ?? {})).toEqual([0, 100]);
  expect(await next.applyTable(table, toGreen)).toMatchObject({ kind: "applied" });
  expect(await next.confirm({ timeoutMs: 10_000 })).toMatchObject({ kind: "applied" });
  expect(next.bytesSent).toMatchObject({ clusters: 0, endpoints: 0, listeners: 0 });
  await next.whenDrained();
  const answers = await load.stop();
  expect(answers.filter(({ body }) => body !== "green")).toEqual([]);
});

test("a proxy that reconnects is sent nothing when nothing has changed", async () => {
  await using blue = await startBackend("blue");
  await using green = await startBackend("green");
  await using fixture = await XdsFixture.open();
  const table = buildTable({ versions: { blue: [blue.port], green: [green.port] }, weights: { blue: 100, green: 0 } });
  await fixture.startTarget();
  await fixture.target.applyTable(table, new Map());
  await fixture.startEnvoy();
  await fixture.target.confirm({ timeoutMs: 30_000 });
  await fixture.stopTarget();
  const next = await fixture.startTarget();
  await waitUntilConnected(fixture);
  expect(await next.applyTable(table, new Map())).toMatchObject({ kind: "applied" });
  const { runtime, ...others } = next.bytesSent;
  expect(Object.values(others)).toEqual(Object.values(others).map(() => 0));
  // The epochs that prove it.
  expect(runtime).toBeLessThan(200);
});

test("clusters of a table that the old kirikae served stay until the new routes are proved", async () => {
  await using blue = await startBackend("blue");
  await using green = await startBackend("green");
  await using fixture = await XdsFixture.open();
  const versions = { blue: [blue.port], green: [green.port] };
  await fixture.startTarget();
  await fixture.target.applyTable(buildTable({ versions, weights: { blue: 100, green: 0 } }), new Map());
  await fixture.startEnvoy();
  await fixture.target.confirm({ timeoutMs: 30_000 });
  await fixture.whenLive();
  const load = startLoad(fixture.port, 4);
  await fixture.stopTarget();
  const next = await fixture.startTarget({ drainMs: 50 });
  const onlyGreen = buildTable({ versions: { green: [green.port] }, weights: { green: 100 } });
  expect(await next.applyTable(onlyGreen, new Map())).toMatchObject({ kind: "applied" });
  await next.whenDrained();
  const admin = fixture.admin();
  await expect.poll(() => admin.get("/clusters")).not.toContain("|blue|");
  admin[Symbol.dispose]();
  const answers = await load.stop();
  expect(answers.filter(({ status }) => status !== 200)).toEqual([]);
});

test("two Envoys move together, and one that is away keeps a move unproved", async () => {
  await using blue = await startBackend("blue");
  await using green = await startBackend("green");
  await using fixture = await XdsFixture.open(["envoy-1", "envoy-2"]);
  const table = buildTable({ versions: { blue: [blue.port], green: [green.port] }, weights: { blue: 100, green: 0 } });
  const target = await fixture.startTarget();
  await target.applyTable(table, new Map());
  // Both listen on one port: the kernel spreads connections over them, as over the workers of one.
  await fixture.startEnvoy("envoy-1");
  await fixture.startEnvoy("envoy-2");
  expect(await target.confirm({ timeoutMs: 30_000 })).toMatchObject({ kind: "applied" });
  const report = await target.apply(toGreen, { timeoutMs: 5_000 });
  expect(report).toMatchObject({ kind: "proved", proxies: [{ node: "envoy-1" }, { node: "envoy-2" }] });
  await fixture.killEnvoy("envoy-2");
  const late = await target.apply(weights({ blue: 100, green: 0 }), { timeoutMs: 300 });
  expect(late).toMatchObject({ kind: "unproved", proxies: [{ node: "envoy-1" }] });
});

test("nothing is served before the first table, and an Envoy without kirikae goes on serving", async () => {
  await using blue = await startBackend("blue");
  await using fixture = await XdsFixture.open();
  const target = await fixture.startTarget();
  await fixture.startEnvoy();
  await waitUntilConnected(fixture);
  expect(Object.values(target.bytesSent)).toEqual(Object.values(target.bytesSent).map(() => 0));
  await target.applyTable(buildTable({ versions: { blue: [blue.port] }, weights: { blue: 1 } }), new Map());
  await target.confirm({ timeoutMs: 30_000 });
  await fixture.whenLive();
  const load = startLoad(fixture.port, 2);
  await fixture.stopTarget();
  using client = new GatewayClient(fixture.port, 1);
  for (let round = 0; round < 50; round += 1) expect((await client.get()).body).toBe("blue");
  expect((await load.stop()).filter(({ status }) => status !== 200)).toEqual([]);
});

test("a switch during which Envoy dies is proved once Envoy is back", async () => {
  await using blue = await startBackend("blue");
  await using green = await startBackend("green");
  await using fixture = await XdsFixture.open();
  const table = buildTable({ versions: { blue: [blue.port], green: [green.port] }, weights: { blue: 100, green: 0 } });
  const target = await fixture.startTarget();
  await target.applyTable(table, new Map());
  await fixture.startEnvoy();
  await target.confirm({ timeoutMs: 30_000 });
  await fixture.whenLive();
  await fixture.killEnvoy();
  const applying = target.apply(toGreen, { timeoutMs: 20_000 });
  await fixture.startEnvoy();
  expect(await applying).toMatchObject({ kind: "proved" });
  await fixture.whenLive();
  using client = new GatewayClient(fixture.port, 1);
  expect((await client.get()).body).toBe("green");
});

test("an Envoy that is stopped keeps a switch unproved, within its time, and has it when it goes on", async () => {
  await using blue = await startBackend("blue");
  await using green = await startBackend("green");
  await using fixture = await XdsFixture.open();
  const table = buildTable({ versions: { blue: [blue.port], green: [green.port] }, weights: { blue: 100, green: 0 } });
  const target = await fixture.startTarget();
  await target.applyTable(table, new Map());
  await fixture.startEnvoy();
  await target.confirm({ timeoutMs: 30_000 });
  await fixture.whenLive();
  fixture.signalEnvoy("SIGSTOP");
  const startMs = performance.now();
  expect(await target.apply(toGreen, { timeoutMs: 300 })).toMatchObject({ kind: "unproved" });
  expect(performance.now() - startMs).toBeLessThan(2_000);
  fixture.signalEnvoy("SIGCONT");
  expect(await target.apply(toGreen, { timeoutMs: 5_000 })).toMatchObject({ kind: "proved" });
  using client = new GatewayClient(fixture.port, 1);
  expect((await client.get()).body).toBe("green");
});

test("an Envoy that is connected and does not say what it does is asked again, and then is no reason to guess", async () => {
  await using blue = await startBackend("blue");
  await using green = await startBackend("green");
  await using fixture = await XdsFixture.open();
  const table = buildTable({ versions: { blue: [blue.port], green: [green.port] }, weights: { blue: 100, green: 0 } });
  const first = await fixture.startTarget();
  await first.applyTable(table, new Map());
  await fixture.startEnvoy();
  await first.confirm({ timeoutMs: 30_000 });
  await fixture.whenLive();
  await first.apply(toGreen, { timeoutMs: 5_000 });
  await fixture.stopTarget();
  const target = await fixture.startTarget({ adoptionTimeoutMs: 600 });
  while (target.status()[0]?.connected !== true) await new Promise((resolve) => setTimeout(resolve, 10));
  fixture.signalEnvoy("SIGSTOP");
  await expect(target.applyTable(table, new Map())).rejects.toMatchObject({ code: "KIR3004" });
  const again = target.applyTable(table, toGreen);
  fixture.signalEnvoy("SIGCONT");
  expect(await again).toMatchObject({ kind: "applied" });
  using client = new GatewayClient(fixture.port, 1);
  expect((await client.get()).body).toBe("green");
});

test("a table that an Envoy could not be seen to take back is not called restored, nor are its endpoints called known", async () => {
  await using blue = await startBackend("blue");
  await using green = await startBackend("green");
  await using fixture = await XdsFixture.open();
  const versions = { blue: [blue.port], green: [green.port] };
  const troubles: string[] = [];
  const target = await fixture.startTarget({ onTrouble: (message) => troubles.push(message) });
  await target.applyTable(buildTable({ versions, weights: { blue: 100 } }), new Map());
  await fixture.startEnvoy();
  await target.confirm({ timeoutMs: 30_000 });
  await fixture.whenLive();
  fixture.signalEnvoy("SIGSTOP");
  const next = buildTable({ versions: { ...versions, red: [blue.port] }, weights: { red: 100, blue: 0 } });
  expect(await target.applyTable(next, new Map(), { timeoutMs: 300 })).toMatchObject({
    kind: "unproved",
    isRestored: false,
  });
  await target.updateEndpoints();
  expect(troubles.join()).toContain("did not confirm where replicas listen");
  fixture.signalEnvoy("SIGCONT");
  using client = new GatewayClient(fixture.port, 1);
  expect((await client.get()).body).toBe("blue");
}, 30_000);
