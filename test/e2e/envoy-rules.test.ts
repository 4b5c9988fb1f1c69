import { once } from "node:events";
import { request } from "node:http";
import { connect } from "node:net";
import { performance } from "node:perf_hooks";
import { expect, test } from "vitest";
import type { CorsPolicy, Fault, ForwardAction, Mirror, Route } from "../../src/core/routes/route-table.ts";
import { routeAt } from "./chain-table.ts";
import { type SeenRequest, startEcho, startHttp } from "./echo-backend.ts";
import { type ServedTable, serveTable } from "./serve-table.ts";
import { buildDestination, destinationId, GatewayClient } from "./xds-fixture.ts";

function forwardAt(path: string, subset: string, over: Partial<ForwardAction>): Route {
  const route = routeAt(path, subset);
  if (route.action.kind !== "forward") throw new Error("not a forward");
  return { ...route, action: { ...route.action, ...over } };
}

async function serveRoutes(
  routes: readonly Route[],
  backends: Readonly<Record<string, readonly number[]>>,
): Promise<ServedTable> {
  return serveTable({
    listeners: [
      {
        port: 80,
        chains: [{ http: [{ domain: "app.test", aliases: ["app", "app.ns"], requiresHttps: false, routes }] }],
      },
    ],
    destinations: Object.entries(backends).map(([subset, ports]) => buildDestination(subset, ports)),
  });
}

const fault = (path: string, over: Partial<Fault>) =>
  routeAt(path, "app", { fault: { delay: undefined, abort: undefined, ...over } });

test("faults delay and abort as often as they are told to", async () => {
  await using echo = await startEcho("app");
  await using served = await serveRoutes(
    [
      fault("/late", { delay: { delayMs: 300, percent: 100 } }),
      fault("/gone", { abort: { kind: "http", status: 418, percent: 100 } }),
      fault("/half", { abort: { kind: "http", status: 418, percent: 50 } }),
      fault("/never", { abort: { kind: "http", status: 418, percent: 0 }, delay: { delayMs: 5_000, percent: 0 } }),
      fault("/both", {
        delay: { delayMs: 300, percent: 100 },
        abort: { kind: "http", status: 503, percent: 100 },
      }),
      routeAt("/", "app"),
    ],
    { app: [echo.port] },
  );
  using client = new GatewayClient(served.local(80), 4);
  const late = await client.get("/late");
  expect(late.status).toBe(200);
  expect(late.endMs - late.startMs).toBeGreaterThanOrEqual(295);
  expect(await client.get("/gone")).toMatchObject({ status: 418, body: "fault filter abort" });
  const both = await client.get("/both");
  expect(both.status).toBe(503);
  expect(both.endMs - both.startMs).toBeGreaterThanOrEqual(295);
  const startMs = performance.now();
  expect(await client.get("/never")).toMatchObject({ status: 200 });
  expect(performance.now() - startMs).toBeLessThan(4_000);
  expect(await client.get("/")).toMatchObject({ status: 200 });
  const halves = await Promise.all(Array.from({ length: 200 }, () => client.get("/half")));
  const aborted = halves.filter(({ status }) => status === 418).length;
  expect(aborted).toBeGreaterThan(60);
  expect(aborted).toBeLessThan(140);
});

const cors: CorsPolicy = {
  allowOrigins: [
    { kind: "exact", value: "https://a.test" },
    { kind: "prefix", value: "https://b." },
    { kind: "regex", value: "https://[cd]\\.test" },
  ],
  allowMethods: ["GET", "PUT"],
  allowHeaders: ["x-a", "x-b"],
  exposeHeaders: ["x-c"],
  maxAgeSeconds: 86_400,
  allowCredentials: true,
  forwardsUnmatchedPreflights: true,
};

test("CORS is answered for the origins that are allowed", async () => {
  await using echo = await startEcho("app");
  await using served = await serveRoutes(
    [
      routeAt("/strict", "app", { cors: { ...cors, forwardsUnmatchedPreflights: false } }),
      routeAt("/plain", "app"),
      routeAt("/", "app", { cors }),
    ],
    { app: [echo.port] },
  );
  const preflight = (path: string, origin: string): Promise<Response> => {
    const headers = { origin, "access-control-request-method": "PUT", host: "app.test" };
    return send(served.local(80), path, { method: "OPTIONS", headers });
  };
  const allowed = await preflight("/x", "https://a.test");
  expect(allowed.status).toBe(200);
  expect(await allowed.text()).toBe("");
  expect(Object.fromEntries(allowed.headers)).toMatchObject({
    "access-control-allow-origin": "https://a.test",
    "access-control-allow-methods": "GET,PUT",
    "access-control-allow-headers": "x-a,x-b",
    "access-control-max-age": "86400",
    "access-control-allow-credentials": "true",
  });
  expect((await preflight("/x", "https://b.anything")).headers.get("access-control-allow-origin")).toBe(
    "https://b.anything",
  );
  expect((await preflight("/x", "https://c.test")).headers.get("access-control-allow-origin")).toBe("https://c.test");
  // One that is not allowed is the backend's affair, or nobody's.
  expect(await (await preflight("/x", "https://e.test")).json()).toMatchObject({ backend: "app", method: "OPTIONS" });
  const refused = await preflight("/strict", "https://e.test");
  expect([refused.headers.get("access-control-allow-origin"), await refused.text()]).toEqual([null, ""]);
  expect(await (await preflight("/plain", "https://a.test")).json()).toMatchObject({ backend: "app" });
  const simple = await send(served.local(80), "/x", { headers: { origin: "https://a.test", host: "app.test" } });
  expect(simple.headers.get("access-control-expose-headers")).toBe("x-c");
});

/** What `fetch` would do, with a Host header of our own. */
function send(
  port: number,
  path: string,
  init: { method?: string; headers: Record<string, string> },
): Promise<Response> {
  return new Promise((resolve, reject) => {
    const sent = request(
      { host: "127.0.0.1", port, path, method: init.method ?? "GET", headers: init.headers },
      (answer) => {
        const chunks: Buffer[] = [];
        answer.on("data", (chunk: Buffer) => chunks.push(chunk));
        answer.on("error", reject);
        answer.on("end", () => {
          const headers = new Headers(
            Object.entries(answer.headers).map(([name, value]): [string, string] => [name, String(value)]),
          );
          resolve(new Response(Buffer.concat(chunks), { status: answer.statusCode ?? 0, headers }));
        });
      },
    );
    sent.on("error", reject);
    sent.end();
  });
}

test("every name of a host leads to it, and an app sees which try it is", async () => {
  await using echo = await startEcho("app");
  await using served = await serveRoutes([routeAt("/", "app", { statPrefix: "checkout" })], { app: [echo.port] });
  using client = new GatewayClient(served.local(80), 1);
  for (const host of ["app.test", "app", "APP.ns", "app.test:8080"]) {
    const { body } = await client.get("/", host);
    const seen = JSON.parse(body) as SeenRequest;
    expect(seen.headers["x-envoy-attempt-count"]).toBe("1");
  }
  expect(await client.get("/", "other.test")).toMatchObject({ status: 404 });
  using admin = served.fixture.admin();
  const stats = await admin.stats("route\\.checkout\\.upstream_rq_200$", { usedOnly: true });
  expect([...stats.values()]).toEqual([4]);
});

const mirror = (subset: string, percent: number): Mirror => ({ destination: destinationId(subset), percent });

test("copies are sent as often as each mirror says, and nothing of them is seen", async () => {
  const copies: Record<string, number> = {};
  const remember = (name: string) =>
    startHttp((_request, response) => {
      copies[name] = (copies[name] ?? 0) + 1;
      response.writeHead(500).end();
    });
  await using echo = await startEcho("app");
  await using all = await remember("all");
  await using half = await remember("half");
  await using none = await remember("none");
  await using served = await serveRoutes(
    [forwardAt("/", "app", { mirrors: [mirror("all", 100), mirror("half", 50), mirror("none", 0)] })],
    { app: [echo.port], all: [all.port], half: [half.port], none: [none.port] },
  );
  using client = new GatewayClient(served.local(80), 4);
  const answers = await Promise.all(Array.from({ length: 200 }, () => client.get("/")));
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
  await expect.poll(() => copies["all"]).toBe(200);
  expect(copies["half"]).toBeGreaterThan(60);
  expect(copies["half"]).toBeLessThan(140);
  expect(copies["none"]).toBeUndefined();
});

const endpoint = (port: number, priority: number) => ({
  kind: "address" as const,
  address: "127.0.0.1",
  port,
  weight: 1,
  priority,
});

test("a retry goes to an endpoint of lower priority where the route says so", async () => {
  let failures = 0;
  await using broken = await startHttp((_request, response) => {
    failures += 1;
    response.writeHead(503).end();
  });
  await using echo = await startEcho("spare");
  const retry = {
    attempts: 3,
    on: ["5xx"],
    statusCodes: [],
    perTryTimeoutMs: undefined,
    backoffMs: 1,
    avoidsPreviousHosts: false,
  };
  await using served = await serveTable({
    listeners: [
      {
        port: 80,
        chains: [
          {
            http: {
              "*": [
                forwardAt("/away", "app", { retry: { ...retry, avoidsPreviousPriorities: true } }),
                forwardAt("/stay", "app", { retry }),
              ],
            },
          },
        ],
      },
    ],
    destinations: [{ ...buildDestination("app", []), endpoints: [endpoint(broken.port, 0), endpoint(echo.port, 1)] }],
  });
  using client = new GatewayClient(served.local(80), 1);
  expect(await client.get("/stay")).toMatchObject({ status: 503 });
  expect(failures).toBe(4);
  expect(await client.get("/away")).toMatchObject({ status: 200 });
  expect(failures).toBeLessThan(8);
});

/** What comes back for bytes that no client of ours would send. */
async function speakRaw(port: number, text: string): Promise<string> {
  const socket = connect(port, "127.0.0.1");
  socket.write(text);
  const [answer] = await once(socket, "data");
  socket.destroy();
  return String(answer);
}

test("a destination that does not exist fails alone, as with Istio, and works once it is there", async () => {
  await using echo = await startEcho("app");
  const shared = routeAt("/shared", "app");
  if (shared.action.kind !== "forward") throw new Error("not a forward");
  const [arm] = shared.action.split.arms;
  if (arm === undefined) throw new Error("no arm");
  const arms = [arm, { ...arm, destination: destinationId("missing") }];
  const routes = [
    {
      ...routeAt("/", "missing"),
      match: { path: { kind: "regex" as const, value: "[^/].*" }, headers: [], query: [] },
    },
    routeAt("/missing", "missing"),
    forwardAt("/copied", "app", { mirrors: [{ destination: destinationId("missing"), percent: 100 }] }),
    { ...shared, action: { ...shared.action, split: { ...shared.action.split, arms } } },
    routeAt("/", "app"),
  ];
  const listeners = [{ port: 80, chains: [{ http: { "*": routes } }] }];
  const app = buildDestination("app", [echo.port]);
  await using served = await serveTable({ listeners, destinations: [app] });
  using client = new GatewayClient(served.local(80), 1);
  // 503 NC has no body; 503 UH says that there is no healthy upstream.
  expect(await client.get("/missing")).toMatchObject({ status: 503, body: "" });
  expect(await client.get("/missing/outbound|80|app|app.test.svc.cluster.local")).toMatchObject({
    status: 503,
    body: "",
  });
  expect(await speakRaw(served.local(80), "GET kirikae_xds HTTP/1.1\r\nhost: app.test\r\n\r\n")).toMatch(
    /^HTTP\/1.1 400 /,
  );
  expect(await client.get("/copied")).toMatchObject({ status: 200 });
  const halves = await Promise.all(Array.from({ length: 50 }, () => client.get("/shared")));
  expect(new Set(halves.map(({ status }) => status))).toEqual(new Set([200, 503]));
  expect(await client.get("/")).toMatchObject({ status: 200 });
  await served.change({ listeners, destinations: [app, buildDestination("missing", [echo.port])] });
  expect(await client.get("/missing")).toMatchObject({ status: 200 });
  await served.change({ listeners, destinations: [app] });
  expect(await client.get("/missing")).toMatchObject({ status: 503, body: "" });
});
