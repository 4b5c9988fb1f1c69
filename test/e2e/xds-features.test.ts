import { withVirtualHosts } from "../gateway-table.fixture.ts";
import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { emitBootstrapJson } from "../../src/core/envoy/bootstrap.ts";
import { emitEnvoy, renderEnvoyJson } from "../../src/core/envoy/emit-envoy.ts";
import type { ForwardAction, Route, RouteAction, RouteMatch, RouteTable } from "../../src/core/routes/route-table.ts";
import type { DestinationPolicy } from "../../src/core/routes/route-table-policy.ts";
import { findEnvoy } from "../../src/local/envoy-binary.ts";
import {
  buildDestination,
  buildRoute,
  buildTable,
  destinationId,
  GatewayClient,
  startBackend,
  XdsFixture,
} from "./xds-fixture.ts";

function match(value: string, over: Partial<RouteMatch> = {}): RouteMatch {
  return { path: { kind: "prefix", value, ignoreCase: false }, headers: [], query: [], ...over };
}

function forward(name: string, routeMatch: RouteMatch, over: Partial<ForwardAction>): Route {
  const route = buildRoute(`test/features/${name}`, { blue: 1 });
  if (route.action.kind !== "forward") throw new Error("not a forward");
  return { ...route, match: routeMatch, action: { ...route.action, ...over } };
}

function answer(name: string, routeMatch: RouteMatch, action: RouteAction): Route {
  return { ...buildRoute(name, { blue: 1 }), name, match: routeMatch, action };
}

/** One route for everything that a route can say. */
const routes: readonly Route[] = [
  answer("plain", match("/direct"), { kind: "direct", status: 418, body: Buffer.from("a teapot") }),
  answer("empty", match("/nothing"), { kind: "direct", status: 204, body: Buffer.alloc(0) }),
  answer("moved", match("/moved"), {
    kind: "redirect",
    status: 308,
    host: "b.test",
    scheme: "https",
    port: 8443,
    path: { kind: "full", value: "/new" },
  }),
  answer("prefix", match("/old/"), {
    kind: "redirect",
    status: 302,
    host: undefined,
    scheme: undefined,
    port: undefined,
    path: { kind: "prefix", value: "/new/" },
  }),
  forward("retry", match("/retry"), {
    timeoutMs: 1_500,
    retry: {
      attempts: 2,
      on: ["connect-failure", "refused-stream"],
      statusCodes: [503],
      perTryTimeoutMs: 500,
      backoffMs: 10,
      avoidsPreviousHosts: true,
    },
  }),
  forward("full", match("/full"), { pathRewrite: { kind: "full", value: "/?status=201" }, hostRewrite: "h.test" }),
  forward("regex", match("/rx", { path: { kind: "regex", value: "/rx/[0-9]+" } }), {
    pathRewrite: { kind: "regex", pattern: "^/rx/([0-9]+)$", substitution: "/\\1" },
  }),
  forward("mirror", match("/mirror"), { mirrors: [{ destination: destinationId("green"), percent: 100 }] }),
  forward("headers", match("/headers"), {
    requestHeaders: { set: [["x-set", "1"]], add: [["x-add", "2"]], remove: ["x-gone"] },
    responseHeaders: { set: [["x-answer", "yes"]], add: [["x-answer-add", "a"]], remove: ["date"] },
  }),
  forward(
    "conditions",
    match("/if", {
      path: { kind: "exact", value: "/if", ignoreCase: true },
      headers: [
        { name: "x-a", value: { kind: "exact", value: "1" }, invert: false },
        { name: "x-b", value: { kind: "regex", value: "[a-z]+" }, invert: false },
        { name: "x-c", value: { kind: "prefix", value: "p" }, invert: true },
        { name: "x-d", value: { kind: "present" }, invert: true },
      ],
      query: [
        { name: "q", value: { kind: "exact", value: "1" } },
        { name: "r", value: { kind: "present" } },
        { name: "s", value: { kind: "regex", value: ".*" } },
      ],
    }),
    {},
  ),
];

function buildFeatureTable(ports: { readonly blue: number; readonly green: number }): RouteTable {
  const table = buildTable({
    versions: { blue: [ports.blue], green: [ports.green] },
    weights: { blue: 100, green: 0 },
    routesBefore: routes,
  });
  const secure = { domain: "*.secure.test", requiresHttps: true, routes: [buildRoute("test/secure/0", { blue: 1 })] };
  const hashed = {
    domain: "*",
    requiresHttps: false,
    routes: ["ring", "maglev", "http2", "random"].map((subset) => ({
      ...buildRoute(`test/hash/${subset}`, { [subset]: 1 }),
      match: match(`/${subset}`),
    })),
  };
  const destinations = new Map(table.destinations);
  for (const [subset, policy] of Object.entries(policies)) {
    const destination = buildDestination(subset, [ports.blue]);
    const protocol = subset === "http2" ? ("http2" as const) : ("http" as const);
    const resolution = subset === "random" ? ("dns" as const) : ("static" as const);
    destinations.set(destination.id, {
      ...destination,
      protocol,
      resolution,
      policy: { ...destination.policy, ...policy },
    });
  }
  return { ...withVirtualHosts(table, (hosts) => [...hosts, secure, hashed]), destinations };
}

const policies: Readonly<Record<string, Partial<DestinationPolicy>>> = {
  ring: {
    loadBalancer: { kind: "ringHash", minimumRingSize: 1024, key: { kind: "header", name: "x-user" } },
    maxConnections: 10,
    maxPendingRequests: 1,
    maxRequests: 2,
    maxRetries: 3,
    maxRequestsPerConnection: 100,
    idleTimeoutMs: 30_000,
    maxConnectionDurationMs: 60_000,
    outlierDetection: {
      consecutive5xx: 5,
      consecutiveGatewayFailure: 0,
      consecutiveLocalOriginFailure: 3,
      splitsLocalOriginErrors: true,
      intervalMs: 1_000,
      baseEjectionTimeMs: 30_000,
      maxEjectionPercent: 50,
      minHealthPercent: 20,
    },
  },
  maglev: {
    loadBalancer: { kind: "maglev", tableSize: 65_537, key: { kind: "cookie", name: "c", path: "/", ttlMs: 1_000 } },
    usesClientProtocol: true,
  },
  http2: { loadBalancer: { kind: "roundRobin" }, maxConcurrentStreams: 50 },
  random: { loadBalancer: { kind: "random" } },
};

interface ResourcesJson {
  readonly clusters: readonly object[];
  readonly listeners: readonly ListenerJson[];
  readonly routes: readonly object[];
}

interface ListenerJson {
  readonly filterChains: readonly {
    readonly filters: readonly {
      readonly typedConfig: { rds?: object | undefined; routeConfig?: object | undefined };
    }[];
  }[];
}

interface BootstrapJson {
  readonly staticResources: { readonly clusters: object[]; readonly listeners: object[] };
}

function withStaticRoutes(listener: ListenerJson, routeConfig: object | undefined): ListenerJson {
  const filterChains = listener.filterChains.map((chain) => ({
    ...chain,
    filters: chain.filters.map((filter) => {
      return { ...filter, typedConfig: { ...filter.typedConfig, rds: undefined, routeConfig } };
    }),
  }));
  return { ...listener, filterChains };
}

test("Envoy's own validation accepts everything that the emitter can say, bootstrap included", async () => {
  await using fixture = await XdsFixture.open();
  const table = buildFeatureTable({ blue: 1, green: 2 });
  const emitted = emitEnvoy(table, { bind: () => ({ address: "127.0.0.1", port: 0 }), endpoints: () => [] });
  const resources: ResourcesJson = JSON.parse(JSON.stringify(renderEnvoyJson(emitted)));
  const sockets = { xds: fixture.xdsSocket, admin: join(fixture.folder, "a"), proof: join(fixture.folder, "p") };
  // Static listeners may not wait for RDS, so each carries its routes.
  const listeners = resources.listeners.map((listener, index) => withStaticRoutes(listener, resources.routes[index]));
  const bootstrap: BootstrapJson = JSON.parse(JSON.stringify(emitBootstrapJson({ node: "envoy-1", sockets })));
  bootstrap.staticResources.clusters.push(...resources.clusters);
  bootstrap.staticResources.listeners.push(...listeners);
  const path = join(fixture.folder, "validate.json");
  await writeFile(path, JSON.stringify(bootstrap));
  const { path: envoy } = await findEnvoy({ env: process.env, onProgress: () => undefined });
  const { stdout } = await promisify(execFile)(envoy, ["--mode", "validate", "-c", path, "--log-level", "warning"]);
  expect(stdout).toContain("OK");
});

test("a live Envoy does what the routes say", async () => {
  await using blue = await startBackend("blue");
  await using green = await startBackend("green");
  await using fixture = await XdsFixture.open();
  const target = await fixture.startTarget();
  await target.applyTable(buildFeatureTable({ blue: blue.port, green: green.port }), new Map());
  await fixture.startEnvoy();
  expect(await target.confirm({ timeoutMs: 30_000 })).toMatchObject({ kind: "applied" });
  await fixture.whenLive();
  using client = new GatewayClient(fixture.port, 1);
  expect(await client.get("/direct")).toMatchObject({ status: 418, body: "a teapot" });
  expect(await client.get("/nothing")).toMatchObject({ status: 204 });
  expect(await client.get("/moved")).toMatchObject({ status: 308, location: "https://b.test:8443/new" });
  expect(await client.get("/old/x?y=1")).toMatchObject({ status: 302, location: "http://app.test/new/x?y=1" });
  expect(await client.get("/full")).toMatchObject({ body: "blue" });
  expect(await client.get("/rx/12")).toMatchObject({ status: 200 });
  expect(await client.get("/mirror")).toMatchObject({ status: 200, body: "blue" });
  expect(await client.get("/x", "a.secure.test")).toMatchObject({ status: 301, location: "https://a.secure.test/x" });
  expect(await client.get("/x", "APP.test:1234")).toMatchObject({ status: 200 });
  expect(await client.get("/ring", "any.where")).toMatchObject({ status: 200 });
  expect(await client.get("/maglev", "any.where")).toMatchObject({ status: 200 });
  expect(await client.get("/random", "any.where")).toMatchObject({ status: 200 });
  expect(await client.get("/unknown", "any.where")).toMatchObject({ status: 404 });
  await expect
    .poll(async () => (await target.stats())?.get(destinationId("green"))?.requests, { timeout: 5_000 })
    .toBeGreaterThan(0);
});
