import { request } from "node:http";
import { expect, test } from "vitest";
import type { Route, RouteTable, VirtualHost } from "../../src/core/routes/route-table.ts";
import { withVirtualHosts } from "../gateway-table.fixture.ts";
import {
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

/** More than a whole route configuration is made for. */
const many = 450;

function directRoute(body: string, path = "/"): Route {
  return {
    ...buildRoute("unused", {}),
    match: { path: { kind: "prefix", value: path, ignoreCase: false }, headers: [], query: [] },
    action: { kind: "direct", status: 200, body: new TextEncoder().encode(body) },
  };
}

function directHost(domain: string, path?: string, aliases?: readonly string[]): VirtualHost {
  return { domain, aliases, requiresHttps: false, routes: [directRoute(domain, path)] };
}

async function statusAndBody(port: number, headers: Record<string, string>): Promise<string> {
  return await new Promise((resolve, reject) => {
    const sent = request({ host: "127.0.0.1", port, path: "/", headers, agent: false }, (response) => {
      let body = "";
      response.on("data", (chunk: Buffer) => (body += chunk.toString()));
      response.on("end", () => resolve(`${response.statusCode} ${body}`));
    });
    sent.on("error", reject);
    sent.end();
  });
}

/** Every way of naming a host that decides about routes. */
const hostHeaders = [
  "exact.test",
  "exact.test:8080",
  "EXACT.Test",
  "Exact.test:80",
  "exact.test.",
  "alias.test",
  "ALIAS.test:1",
  "one.wild.test",
  "One.WILD.test:81",
  "one.deep.wild.test",
  "wild.test",
  "partly.test",
  "PARTLY.test",
  "partly.wild.test",
  "PARTLY.wild.test:90",
  "[::1]",
  "[::1]:8080",
  "[FE80::1]:80",
  "127.0.0.1",
  "elsewhere.example",
  "*",
  "*.wild.test",
  "x-eu.wild.test",
  "X-EU.deep.wild.test:8080",
  "-eu.wild.test",
  "eu.wild.test",
  "a.b.c.d.wild.test:80",
  "one.wild.test.",
  ".wild.test",
  "one..wild.test",
  "only.joined.test",
  "only-us.joined.test",
  `${"a.".repeat(100)}wild.test`,
  `${"a.".repeat(60)}six.five.four.three.wild.test`,
  "one.seven.six.five.four.three.wild.test",
  "seven.six.five.four.three.wild.test",
  "SIX.five.four.three.wild.test:80",
  "five.four.three.wild.test",
  "four.three.wild.test",
];

test("hosts are found in the scoped form as in the whole one, however they are written", async () => {
  await using fixture = await XdsFixture.open();
  const target = await fixture.startTarget();
  await fixture.startEnvoy();
  const hosts = [
    directHost("exact.test", undefined, ["alias.test"]),
    directHost("partly.test", "/only"),
    directHost("partly.wild.test", "/only"),
    directHost("*.wild.test"),
    directHost("*.deep.wild.test"),
    directHost("*-eu.wild.test"),
    directHost("*-eu.deep.wild.test"),
    directHost("*-us.joined.test"),
    directHost("*.seven.six.five.four.three.wild.test"),
    directHost("*.six.five.four.three.wild.test"),
    directHost("*.five.four.three.wild.test"),
    directHost("*.four.three.wild.test", "/only"),
  ];
  const crowd = Array.from({ length: many }, (_, index) => directHost(`crowd-${index}.test`));
  for (const catchAll of [[], [directHost("*")]]) {
    const found: string[][] = [];
    for (const others of [[], crowd]) {
      const table = withVirtualHosts(buildTable({ versions: {}, weights: {} }), () => [
        ...hosts,
        ...catchAll,
        ...others,
      ]);
      await target.applyTable(table, new Map());
      expect(await target.confirm({ timeoutMs: 30_000 })).toMatchObject({ kind: "applied" });
      await fixture.whenLive();
      const answers = hostHeaders.map(async (host) => {
        const forged = { host, "x-kirikae-scope": "crowd-1.test" };
        const [plain, withForged] = await Promise.all([
          statusAndBody(fixture.port, { host }),
          statusAndBody(fixture.port, forged),
        ]);
        expect(withForged).toBe(plain);
        return `${host} -> ${plain}`;
      });
      found.push(await Promise.all(answers));
    }
    expect(found[1]).toEqual(found[0]);
    expect(found[0]).toContain("EXACT.Test -> 200 exact.test");
    expect(found[0]).toContain("partly.wild.test -> 404 ");
    expect(found[0]).toContain("x-eu.wild.test -> 200 *-eu.wild.test");
    expect(found[0]).toContain("one.deep.wild.test -> 200 *.deep.wild.test");
    expect(found[0]).toContain("seven.six.five.four.three.wild.test -> 200 *.six.five.four.three.wild.test");
  }
  const scopes = await fixture.admin().stats("scoped_rds.*config_reload$", { usedOnly: true });
  expect(scopes.size).toBeGreaterThan(0);
});

interface Running extends AsyncDisposable {
  readonly fixture: XdsFixture;
  readonly table: (others: number, shares?: Record<string, number>) => RouteTable;
}

async function start(others: number): Promise<Running> {
  await using cleanup = new AsyncDisposableStack();
  const blue = cleanup.use(await startBackend("blue"));
  const green = cleanup.use(await startBackend("green"));
  const fixture = cleanup.use(await XdsFixture.open());
  const table: Running["table"] = (others, shares = { blue: 100, green: 0 }) =>
    buildTable({ versions: { blue: [blue.port], green: [green.port] }, weights: shares, others });
  await fixture.startTarget({ rewriteDelayMs: 3_600_000, drainMs: 50 });
  await fixture.startEnvoy();
  await fixture.target.applyTable(table(others), new Map());
  expect(await fixture.target.confirm({ timeoutMs: 30_000 })).toMatchObject({ kind: "applied" });
  await fixture.whenLive();
  const owned = cleanup.move();
  return { fixture, table, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

test("a gateway that grows and shrinks loses no request, also on connections from before", async () => {
  await using running = await start(1);
  const { fixture, table } = running;
  using old = new GatewayClient(fixture.port, 1);
  expect((await old.get()).body).toBe("blue");
  const load = startLoad(fixture.port, 4);
  for (const size of [many, many + 1, 1, many]) {
    expect(await fixture.target.applyTable(table(size), new Map())).toMatchObject({ kind: "applied" });
    using fresh = new GatewayClient(fixture.port, 1);
    expect((await fresh.get("/", `app-${size - 1}.test`)).status).toBe(200);
  }
  expect(await fixture.target.applyTable(table(many, { blue: 0, green: 100 }), new Map())).toMatchObject({
    kind: "applied",
  });
  expect((await old.get()).body).toBe("green");
  const answers = await load.stop();
  expect(answers.length).toBeGreaterThan(50);
  expect(answers.filter(({ status }) => status !== 200)).toEqual([]);
});

test("one changed route among many is a push of that host alone, and a switch moves and is observed as ever", async () => {
  await using running = await start(many);
  const { fixture, table } = running;
  const { target } = fixture;
  const grown = table(many);
  using client = new GatewayClient(fixture.port, 2);
  expect((await client.get()).body).toBe("blue");

  const before = target.bytesSent;
  const changed = withVirtualHosts(grown, (hosts) =>
    hosts.map((host) =>
      host.domain === "app-7.test" ? { ...host, routes: [directRoute("seven"), ...host.routes] } : host,
    ),
  );
  expect(await target.applyTable(changed, new Map())).toMatchObject({ kind: "applied" });
  expect((await client.get("/", "app-7.test")).body).toBe("seven");
  const after = target.bytesSent;
  const sent = Object.fromEntries(
    Object.entries(after).map(([type, bytes]) => [type, bytes - (before[type as keyof typeof before] ?? 0)]),
  );
  expect(sent).toMatchObject({ secrets: 0, clusters: 0, endpoints: 0, listeners: 0, scopes: 0 });
  expect(sent["routes"]).toBeLessThan(4_000);

  expect(await target.apply(weights({ blue: 0, green: 100 }), { timeoutMs: 5_000 })).toMatchObject({ kind: "proved" });
  expect((await client.get()).body).toBe("green");
  const shown = [{ split: splitId, weights: { [destinationId("blue")]: 0, [destinationId("green")]: 100 } }];
  expect(await target.observe([splitId])).toEqual(shown);
});

test("a rewrite of the routes writes the moved host alone", async () => {
  await using running = await start(many);
  const { fixture, table } = running;
  await fixture.stopTarget();
  const target = await fixture.startTarget({ rewriteDelayMs: 10 });
  await target.applyTable(table(many), new Map());
  expect(await target.confirm({ timeoutMs: 30_000 })).toMatchObject({ kind: "applied" });
  expect({ ...target.bytesSent, runtime: 0 }).toEqual(
    Object.fromEntries(Object.keys(target.bytesSent).map((type) => [type, 0])),
  );
  expect(await target.apply(weights({ blue: 0, green: 100 }), { timeoutMs: 5_000 })).toMatchObject({ kind: "proved" });
  await expect.poll(() => target.bytesSent.routes, { timeout: 10_000 }).toBeGreaterThan(0);
  expect(target.bytesSent.routes).toBeLessThan(4_000);
  await expect
    .poll(async () => [...(await fixture.admin().runtime()).keys()].filter((key) => key.includes("split")))
    .toEqual([]);
  const shown = [{ split: splitId, weights: { [destinationId("blue")]: 0, [destinationId("green")]: 100 } }];
  expect(await target.observe([splitId])).toEqual(shown);
  using client = new GatewayClient(fixture.port, 1);
  expect((await client.get()).body).toBe("green");
});

test("an Envoy that starts anew gets all scopes before it serves", async () => {
  await using running = await start(many);
  const { fixture } = running;
  await fixture.killEnvoy();
  await fixture.startEnvoy();
  expect(await fixture.target.confirm({ timeoutMs: 30_000 })).toMatchObject({ kind: "applied" });
  await fixture.whenLive();
  using client = new GatewayClient(fixture.port, 1);
  expect((await client.get("/", "app-3.test")).status).toBe(200);
});
