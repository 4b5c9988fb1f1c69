import { Agent } from "node:https";
import type { ConnectionOptions } from "node:tls";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import type { RouteTable } from "../../src/core/routes/route-table.ts";
import type { Secret } from "../../src/core/routes/route-table-tls.ts";
import { issueCertificate } from "../certificates.fixture.ts";
import { certificateSecret, type ChainSketch, chainTable, routeAt, routeTo, trustSecret } from "./chain-table.ts";
import { type LocalServer, type SeenRequest, startEcho } from "./echo-backend.ts";
import { callTls, connectTls } from "./tls-client.ts";
import { type Backend, buildDestination, startBackend, XdsFixture } from "./xds-fixture.ts";

const authority = issueCertificate({ name: "authority" });
const stranger = issueCertificate({ name: "another authority" });
const shop = issueCertificate({ name: "shop", hosts: ["shop.test"], issuer: authority });
const wild = issueCertificate({ name: "wild", hosts: ["*.wild.test"], issuer: authority });
const any = issueCertificate({ name: "any", hosts: ["any.test"], issuer: authority });
const client = issueCertificate({
  name: "client",
  hosts: ["client.test"],
  uris: ["spiffe://c/ns/a"],
  issuer: authority,
});
const foreign = issueCertificate({ name: "client", hosts: ["client.test"], issuer: stranger });
const other = issueCertificate({ name: "other", hosts: ["other.test"], issuer: authority });

const secrets: readonly Secret[] = [
  certificateSecret("shop", shop),
  certificateSecret("wild", wild),
  certificateSecret("any", any),
  trustSecret("clients", authority),
];

const refusedHandshake = /alert|disconnected|ECONNRESET|hang up|socket/;

const toApp = { "*": [routeAt("/seen", "echo"), routeTo("blue")] };

const chains: readonly ChainSketch[] = [
  { serverNames: ["shop.test"], tls: { certificates: ["shop"] }, http: toApp },
  { serverNames: ["*.wild.test"], tls: { certificates: ["wild"] }, http: toApp },
  {
    serverNames: ["mutual.test"],
    tls: { mode: "mutual", certificates: ["any"], clientCa: "clients" },
    http: toApp,
  },
  {
    serverNames: ["named.test"],
    tls: { mode: "mutual", certificates: ["any"], clientCa: "clients", clientNames: ["spiffe://c/ns/a"] },
    http: toApp,
  },
  {
    serverNames: ["optional.test"],
    tls: { mode: "optionalMutual", certificates: ["any"], clientCa: "clients" },
    http: toApp,
  },
  { serverNames: ["old.test"], tls: { certificates: ["any"], maxVersion: "1.2" }, http: toApp },
  { serverNames: ["new.test"], tls: { certificates: ["any"], minVersion: "1.3" }, http: toApp },
  {
    serverNames: ["cipher.test"],
    tls: { certificates: ["any"], maxVersion: "1.2", cipherSuites: ["ECDHE-ECDSA-AES256-GCM-SHA384"] },
    http: toApp,
  },
  { tls: { certificates: ["any"] }, http: { "*": [routeAt("/", "green")] } },
];

let fixture: XdsFixture;
let blue: Backend;
let green: Backend;
let echo: LocalServer;

function tableWith(
  over: { readonly secrets?: readonly Secret[]; readonly chains?: readonly ChainSketch[] } = {},
): RouteTable {
  return chainTable({
    listeners: [{ port: 443, chains: over.chains ?? chains }],
    destinations: [
      buildDestination("blue", [blue.port]),
      buildDestination("green", [green.port]),
      buildDestination("echo", [echo.port]),
    ],
    secrets: over.secrets ?? secrets,
  });
}

beforeAll(async () => {
  blue = await startBackend("blue");
  green = await startBackend("green");
  echo = await startEcho("echo");
  fixture = await XdsFixture.open();
  const target = await fixture.startTarget({ drainMs: 100 });
  await fixture.startEnvoy();
  expect(await target.applyTable(tableWith(), new Map(), { timeoutMs: 30_000 })).toMatchObject({ kind: "published" });
  expect(await target.confirm({ timeoutMs: 30_000 })).toMatchObject({ kind: "applied" });
});

afterAll(async () => {
  await fixture[Symbol.asyncDispose]();
  await blue[Symbol.asyncDispose]();
  await green[Symbol.asyncDispose]();
  await echo[Symbol.asyncDispose]();
});

function call(name: string, from?: typeof client) {
  return callTls({ port: fixture.port, name, ...(from === undefined ? {} : { client: from }) });
}

function shakeHands(servername: string, over: ConnectionOptions = {}) {
  return connectTls({ port: fixture.port, servername, ...over });
}

describe("a certificate is chosen by the name that is asked for", () => {
  test.each([
    ["shop.test", "shop", "blue"],
    ["a.wild.test", "wild", "blue"],
    ["a.b.wild.test", "wild", "blue"],
    ["any.test", "any", "green"],
    ["wild.test", "any", "green"],
  ])("%s is shown %s and reaches %s", async (name, shown, body) => {
    expect(await callTls({ port: fixture.port, name })).toEqual({ status: 200, body, shown });
  });

  test("a client that verifies is content", async () => {
    expect(await callTls({ port: fixture.port, name: "shop.test", trust: authority })).toMatchObject({ status: 200 });
  });
});

describe("callers with certificates of their own", () => {
  test("are let in where theirs is asked for", async () => {
    expect(await call("mutual.test", client)).toMatchObject({ status: 200 });
    expect(await call("optional.test", client)).toMatchObject({ status: 200 });
    expect(await call("named.test", client)).toMatchObject({ status: 200 });
  });

  test("are turned away where they have none, unless it is only asked for", async () => {
    await expect(call("mutual.test")).rejects.toThrow(refusedHandshake);
    expect(await call("optional.test")).toMatchObject({ status: 200 });
  });

  test("are turned away with one of a stranger, or with another name", async () => {
    await expect(call("mutual.test", foreign)).rejects.toThrow(refusedHandshake);
    await expect(call("optional.test", foreign)).rejects.toThrow(refusedHandshake);
    await expect(call("named.test", other)).rejects.toThrow(refusedHandshake);
    expect(await call("mutual.test", other)).toMatchObject({ status: 200 });
  });
});

describe("versions, ciphers and protocols", () => {
  test("keep within the limits of the chain", async () => {
    using old = await shakeHands("old.test");
    expect(old.socket.getProtocol()).toBe("TLSv1.2");
    using young = await shakeHands("new.test");
    expect(young.socket.getProtocol()).toBe("TLSv1.3");
    await expect(shakeHands("old.test", { minVersion: "TLSv1.3" })).rejects.toThrow(refusedHandshake);
    await expect(shakeHands("new.test", { maxVersion: "TLSv1.2" })).rejects.toThrow(refusedHandshake);
  });

  test("take the ciphers that are named and no other", async () => {
    using chosen = await shakeHands("cipher.test");
    expect(chosen.socket.getCipher().standardName).toBe("TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384");
    await expect(shakeHands("cipher.test", { ciphers: "ECDHE-ECDSA-AES128-GCM-SHA256" })).rejects.toThrow(
      refusedHandshake,
    );
  });

  test("offer HTTP/2 first", async () => {
    using both = await shakeHands("shop.test", { ALPNProtocols: ["http/1.1", "h2"] });
    expect(both.socket.alpnProtocol).toBe("h2");
    using one = await shakeHands("shop.test", { ALPNProtocols: ["http/1.1"] });
    expect(one.socket.alpnProtocol).toBe("http/1.1");
  });
});

describe("a renewed certificate", () => {
  const renewed = issueCertificate({ name: "shop, renewed", hosts: ["shop.test"], issuer: authority });
  const withRenewed = secrets.map((secret) => (secret.id === "shop" ? certificateSecret("shop", renewed) : secret));

  test("is pushed alone, keeps every connection, and is shown to the next", async () => {
    const { target } = fixture;
    await target.applyTable(tableWith(), new Map());
    using agent = disposable(new Agent({ keepAlive: true, maxSockets: 1 }));
    const call = { port: fixture.port, name: "shop.test" };
    expect(await callTls({ ...call, agent: agent.value })).toMatchObject({ shown: "shop" });
    const before = target.bytesSent;
    expect(await target.applyTable(tableWith({ secrets: withRenewed }), new Map())).toMatchObject({ kind: "applied" });
    const after = target.bytesSent;
    expect([after.listeners, after.clusters, after.routes]).toEqual([before.listeners, before.clusters, before.routes]);
    expect(after.secrets - before.secrets).toBeLessThan(3_000);
    expect(await callTls({ ...call, agent: agent.value })).toMatchObject({ status: 200, shown: "shop" });
    expect(await callTls(call)).toMatchObject({ status: 200, shown: "shop, renewed" });
  });

  test("that is broken is refused, and what ran before runs on", async () => {
    const { target } = fixture;
    await target.applyTable(tableWith(), new Map());
    const broken = certificateSecret("shop", { ...renewed, key: other.key });
    const report = await target.applyTable(
      tableWith({ secrets: secrets.map((secret) => (secret.id === "shop" ? broken : secret)) }),
      new Map(),
    );
    expect(report).toMatchObject({ kind: "rejected", isRestored: true, resource: "shop" });
    expect(JSON.stringify(report)).not.toContain(keyLine(other.key));
    expect(await callTls({ port: fixture.port, name: "shop.test" })).toMatchObject({ status: 200, shown: "shop" });
  });

  test("never shows its key in logs, status or what the proxy tells of itself", async () => {
    const { target } = fixture;
    await target.applyTable(tableWith({ secrets: withRenewed }), new Map());
    using admin = fixture.admin();
    const dump = await admin.get("/config_dump?include_eds");
    const told = [await fixture.readLog(), JSON.stringify(target.status()), dump].join("\n");
    expect(dump).toContain("shop");
    for (const { key } of [shop, renewed, any, other]) expect(told).not.toContain(keyLine(key));
  });
});

test("secrets that nobody names are not sent, and those that nobody names any more are let go", async () => {
  const { target } = fixture;
  const unused = certificateSecret("unused", other);
  await target.applyTable(tableWith({ secrets: [...secrets, unused] }), new Map());
  using admin = fixture.admin();
  const held = async () => JSON.stringify(await admin.get("/config_dump?resource=dynamic_active_secrets&mask=name"));
  expect(await held()).toContain("wild");
  expect(await held()).not.toContain("unused");
  const fewer = chains.filter(({ serverNames }) => serverNames?.[0] !== "*.wild.test");
  expect(await target.applyTable(tableWith({ chains: fewer }), new Map())).toMatchObject({ kind: "applied" });
  await target.whenDrained();
  expect(await callTls({ port: fixture.port, name: "a.wild.test" })).toMatchObject({ shown: "any" });
  await target.applyTable(tableWith(), new Map());
  expect(await callTls({ port: fixture.port, name: "a.wild.test" })).toMatchObject({ shown: "wild" });
});

test("a control plane that comes back finds everything in place and sends no secret again", async () => {
  await fixture.target.applyTable(tableWith(), new Map());
  await fixture.stopTarget();
  expect(await callTls({ port: fixture.port, name: "shop.test" })).toMatchObject({ status: 200 });
  const target = await fixture.startTarget({ drainMs: 100 });
  await vi.waitUntil(() => target.status()[0]?.connected === true, { timeout: 20_000 });
  expect(await target.applyTable(tableWith(), new Map())).toMatchObject({ kind: "applied" });
  expect(target.bytesSent).toMatchObject({ secrets: 0, listeners: 0, clusters: 0 });
  expect(await callTls({ port: fixture.port, name: "shop.test" })).toMatchObject({ status: 200 });
});

test("an Envoy that starts while certificates are retired opens its listener", async () => {
  const { target } = fixture;
  await target.applyTable(tableWith(), new Map());
  const fewer = chains.filter(({ serverNames }) => serverNames?.[0] !== "*.wild.test");
  await target.applyTable(tableWith({ chains: fewer }), new Map());
  await fixture.killEnvoy();
  await fixture.startEnvoy();
  expect(await target.confirm({ timeoutMs: 30_000 })).toMatchObject({ kind: "applied" });
  expect(await callTls({ port: fixture.port, name: "shop.test" })).toMatchObject({ status: 200 });
});

test("what a caller claims about its certificate is replaced by what the proxy saw", async () => {
  await fixture.target.applyTable(tableWith(), new Map());
  const claim = { "x-forwarded-client-cert": 'Subject="CN=the boss"' };
  const seen = async (name: string, from?: typeof client): Promise<string | undefined> => {
    const answer = await callTls({
      port: fixture.port,
      name,
      path: "/seen",
      headers: claim,
      ...(from === undefined ? {} : { client: from }),
    });
    const { headers }: SeenRequest = JSON.parse(answer.body);
    return headers["x-forwarded-client-cert"];
  };
  const told = await seen("optional.test", client);
  expect(told).toContain('Subject="CN=client"');
  expect(told).toContain("URI=spiffe://c/ns/a");
  expect(told).toContain("DNS=client.test");
  expect(told).not.toContain("the boss");
  expect(await seen("optional.test")).toBeUndefined();
  expect(await seen("shop.test")).toBeUndefined();
});

function keyLine(pem: string): string {
  const line = pem.split("\n")[1];
  if (line === undefined || line.length < 40) throw new Error("no line of a key");
  return line;
}

function disposable(agent: Agent): Disposable & { readonly value: Agent } {
  return { value: agent, [Symbol.dispose]: () => agent.destroy() };
}
