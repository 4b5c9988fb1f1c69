import { expect, test } from "vitest";
import type { Destination, Route } from "../../src/core/routes/route-table.ts";
import type { DestinationPolicy } from "../../src/core/routes/route-table-policy.ts";
import type { UpstreamTls } from "../../src/core/routes/route-table-tls.ts";
import { issueCertificate } from "../certificates.fixture.ts";
import { certificateSecret, routeAt, trustSecret } from "./chain-table.ts";
import { type LocalServer, type SeenRequest, startEcho, startTcpEcho } from "./echo-backend.ts";
import { type ServedTable, serveTable } from "./serve-table.ts";
import { buildDestination, GatewayClient } from "./xds-fixture.ts";

const authority = issueCertificate({ name: "authority" });
const stranger = issueCertificate({ name: "stranger" });
const server = issueCertificate({ name: "server", hosts: ["app.test", "backend.test"], issuer: authority });
const own = issueCertificate({ name: "own", issuer: authority });

function destination(subset: string, port: number, policy: Partial<DestinationPolicy>): Destination {
  const base = buildDestination(subset, [port]);
  return { ...base, policy: { ...base.policy, ...policy } };
}

function withTls(tls: Partial<UpstreamTls>): Partial<DestinationPolicy> {
  return {
    tls: { sni: undefined, certificate: undefined, trust: { kind: "none" }, subjectAltNames: [], ...tls },
  };
}

function routesTo(subsets: Iterable<string>): readonly Route[] {
  return [...subsets].map((subset) => routeAt(`/${subset}`, subset));
}

async function ask(served: ServedTable, path: string, host = "app.test"): Promise<SeenRequest | number> {
  using client = new GatewayClient(served.local(80), 1);
  const { status, body } = await client.get(path, host);
  return status === 200 ? (JSON.parse(body) as SeenRequest) : status;
}

test("TLS is begun with the name, the certificate and the trust that a destination says", async () => {
  await using backend = await startEcho("tls", {
    cert: server.certificate,
    key: server.key,
    ca: authority.certificate,
    requestCert: true,
    rejectUnauthorized: false,
  });
  const trusted = { kind: "secret", id: "authority" } as const;
  const policies: Readonly<Record<string, Partial<DestinationPolicy>>> = {
    careless: withTls({}),
    named: withTls({ sni: "backend.test" }),
    trusting: withTls({ trust: trusted }),
    suspicious: withTls({ trust: { kind: "secret", id: "stranger" } }),
    strict: withTls({ trust: trusted, sni: "x.test", subjectAltNames: ["backend.test"] }),
    picky: withTls({ trust: trusted, sni: "x.test", subjectAltNames: ["else.test"] }),
    lenient: withTls({ trust: trusted, sni: "else.test" }),
    mutual: withTls({ trust: trusted, certificate: "own" }),
    machine: withTls({ trust: { kind: "system" } }),
    nowhere: withTls({ trust: { kind: "secret", id: "missing" } }),
  };
  const table = {
    listeners: [{ port: 80, chains: [{ http: { "*": routesTo(Object.keys(policies)) } }] }],
    destinations: Object.entries(policies).map(([subset, policy]) => destination(subset, backend.port, policy)),
    secrets: [certificateSecret("own", own), trustSecret("authority", authority), trustSecret("stranger", stranger)],
  };
  await using served = await serveTable(table, { systemTrust: () => Buffer.from(authority.certificate) });
  expect(await ask(served, "/careless")).toMatchObject({ sni: "app.test" });
  expect(await ask(served, "/careless", "any.where")).toMatchObject({ sni: "any.where" });
  expect(await ask(served, "/named")).toMatchObject({ sni: "backend.test" });
  expect(await ask(served, "/trusting")).toMatchObject({ sni: "app.test" });
  // The certificate is not good for the host that the request names.
  expect(await ask(served, "/trusting", "any.where")).toBe(503);
  expect(await ask(served, "/suspicious")).toBe(503);
  expect(await ask(served, "/strict")).toMatchObject({ sni: "x.test" });
  expect(await ask(served, "/picky")).toBe(503);
  expect(await ask(served, "/lenient")).toMatchObject({ sni: "else.test" });
  expect(await ask(served, "/mutual")).toMatchObject({ caller: "own" });
  expect(await ask(served, "/careless")).not.toHaveProperty("caller");
  expect(await ask(served, "/machine")).toMatchObject({ sni: "app.test" });
  expect(await ask(served, "/nowhere")).toBe(503);
});

test("where nobody has read what this machine trusts, destinations that trust it trust nobody", async () => {
  await using backend = await startEcho("tls", { cert: server.certificate, key: server.key });
  await using served = await serveTable({
    listeners: [{ port: 80, chains: [{ http: { "*": routesTo(["machine"]) } }] }],
    destinations: [destination("machine", backend.port, withTls({ trust: { kind: "system" } }))],
  });
  expect(await ask(served, "/machine")).toBe(503);
});

test("the PROXY protocol tells a backend who called", async () => {
  await using backend = await startTcpEcho("");
  await using served = await serveTable({
    listeners: [
      { port: 1, chains: [{ tcp: { first: 1 } }] },
      { port: 2, chains: [{ tcp: { second: 1 } }] },
    ],
    destinations: [
      { ...destination("first", backend.port, { proxyProtocol: "v1" }), protocol: "tcp" },
      { ...destination("second", backend.port, { proxyProtocol: "v2" }), protocol: "tcp" },
    ],
  });
  for (const port of [1, 2]) {
    using client = new GatewayClient(served.local(port), 1);
    await expect(client.get("/")).rejects.toThrow("Parse Error");
  }
  await expect.poll(() => backend.heard().toString("latin1")).toContain("\r\n\r\n\0\r\nQUIT\n");
  expect(backend.heard().toString("latin1")).toMatch(/PROXY TCP4 127\.0\.0\.1 127\.0\.0\.1 \d+ \d+\r\nGET/);
});

async function startEchos(names: readonly string[]): Promise<AsyncDisposable & { port(name: string): number }> {
  const stack = new AsyncDisposableStack();
  const servers = new Map<string, LocalServer>();
  for (const name of names) servers.set(name, stack.use(await startEcho(name)));
  return {
    port: (name) => servers.get(name)?.port ?? 0,
    [Symbol.asyncDispose]: () => stack[Symbol.asyncDispose](),
  };
}

async function count(served: ServedTable, path: string, times: number): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (let index = 0; index < times; index += 1) {
    const seen = await ask(served, path);
    const name = typeof seen === "number" ? String(seen) : seen.backend;
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}

const place = (zone: string) => ({ region: "r", zone, subZone: "" });
const at = (port: number) => ({ kind: "address" as const, address: "127.0.0.1", port, weight: 1 });
const withEndpoints = (subset: string, endpoints: Destination["endpoints"], policy: Partial<DestinationPolicy>) => ({
  ...destination(subset, 1, policy),
  endpoints,
});

test("priorities and shares of places decide who answers", async () => {
  await using echos = await startEchos(["near", "far", "a", "b"]);
  const table = {
    listeners: [{ port: 80, chains: [{ http: { "*": routesTo(["tiered", "gap", "shared"]) } }] }],
    destinations: [
      withEndpoints(
        "tiered",
        [
          { ...at(echos.port("near")), locality: place("near"), priority: 0 },
          { ...at(echos.port("far")), locality: place("far"), priority: 1 },
        ],
        {},
      ),
      // Nothing of priority 0 and 1 runs at the moment.
      withEndpoints(
        "gap",
        [
          { kind: "localWorkload", name: "test/stopped", locality: place("near"), priority: 0 },
          { ...at(echos.port("far")), locality: place("far"), priority: 3 },
        ],
        {},
      ),
      withEndpoints(
        "shared",
        [
          { ...at(echos.port("a")), locality: place("a"), localityWeight: 80 },
          { ...at(echos.port("b")), locality: place("b"), localityWeight: 20 },
        ],
        { usesLocalityWeights: true, loadBalancer: { kind: "roundRobin" } },
      ),
    ],
  };
  await using served = await serveTable(table);
  expect(await count(served, "/tiered", 20)).toEqual({ near: 20 });
  expect(await count(served, "/gap", 5)).toEqual({ far: 5 });
  const { a = 0, b = 0 } = await count(served, "/shared", 100);
  expect(a + b).toBe(100);
  expect(a).toBeGreaterThan(65);
  expect(b).toBeGreaterThan(8);
});

test("a cookie that sticks is set with the attributes that a destination says", async () => {
  await using echos = await startEchos(["one", "two"]);
  const ports = [echos.port("one"), echos.port("two")];
  const key = {
    kind: "cookie" as const,
    name: "stick",
    path: "/",
    ttlMs: 60_000,
    attributes: [
      ["SameSite", "Strict"],
      ["Secure", ""],
    ] as const,
  };
  const sticky = buildDestination("sticky", ports);
  await using served = await serveTable({
    listeners: [{ port: 80, chains: [{ http: { "*": routesTo(["sticky"]) } }] }],
    destinations: [
      {
        ...sticky,
        policy: { ...sticky.policy, loadBalancer: { kind: "ringHash", minimumRingSize: 1024, key } },
      },
    ],
  });
  const response = await fetch(`http://127.0.0.1:${served.local(80)}/sticky`);
  expect(response.headers.get("set-cookie")).toMatch(/^stick="[^"]+"; Max-Age=60; Path=\/;/);
  expect(response.headers.get("set-cookie")).toContain("SameSite=Strict");
  expect(response.headers.get("set-cookie")).toContain("Secure");
  const { backend } = (await response.json()) as SeenRequest;
  const [cookie = ""] = (response.headers.get("set-cookie") ?? "").split(";");
  for (let index = 0; index < 5; index += 1) {
    const again = await fetch(`http://127.0.0.1:${served.local(80)}/sticky`, { headers: { cookie } });
    expect(await again.json()).toMatchObject({ backend });
  }
});

test("one name, the host of the request, and a name that does not resolve", async () => {
  await using echos = await startEchos(["here"]);
  const port = echos.port("here");
  const named = (subset: string, resolution: Destination["resolution"], names: readonly string[]): Destination => ({
    ...destination(subset, port, {}),
    resolution,
    endpoints: names.map((address) => ({ kind: "address", address, port, weight: 1 })),
  });
  const table = {
    listeners: [{ port: 80, chains: [{ http: { "*": routesTo(["one", "none", "any", "two"]) } }] }],
    destinations: [
      named("one", "logicalDns", ["localhost"]),
      named("none", "logicalDns", []),
      named("two", "logicalDns", ["localhost", "127.0.0.1"]),
      named("any", "requestHost", []),
    ],
  };
  await using served = await serveTable(table);
  expect(await ask(served, "/one")).toMatchObject({ backend: "here" });
  expect(await ask(served, "/none")).toBe(503);
  expect(await ask(served, "/two")).toBe(503);
  expect(await ask(served, "/any", `localhost:${port}`)).toMatchObject({ backend: "here" });
  expect(await ask(served, "/any", `127.0.0.1:${port}`)).toMatchObject({ backend: "here" });
  expect(await ask(served, "/any", "nowhere.invalid")).toBe(503);
});

test("a real Envoy takes keepalive, warm-up and every other word about connections", async () => {
  await using echos = await startEchos(["here"]);
  const port = echos.port("here");
  const warmup = { durationMs: 30_000, minimumPercent: 10, aggression: 1.5 };
  const policies: Readonly<Record<string, Partial<DestinationPolicy>>> = {
    tcp: { tcpKeepalive: { probes: 3, timeMs: 1_500, intervalMs: 1_000 } },
    some: { tcpKeepalive: { probes: undefined, timeMs: undefined, intervalMs: 75_000 } },
    round: { loadBalancer: { kind: "roundRobin", warmup } },
    least: { loadBalancer: { kind: "leastRequest", warmup } },
  };
  await using served = await serveTable({
    listeners: [{ port: 80, chains: [{ http: { "*": routesTo(Object.keys(policies)) } }] }],
    destinations: [
      ...Object.entries(policies).map(([subset, policy]) => destination(subset, port, policy)),
      { ...destination("h2", port, { http2Keepalive: { intervalMs: 5_000, timeoutMs: 1_000 } }), protocol: "http2" },
    ],
  });
  for (const subset of Object.keys(policies))
    expect(await ask(served, `/${subset}`)).toMatchObject({ backend: "here" });
  using admin = served.fixture.admin();
  const dump = JSON.stringify(await admin.get("/config_dump?resource=dynamic_active_clusters"));
  for (const word of ["keepalive_time", "slow_start_window", "connection_keepalive"]) expect(dump).toContain(word);
});
