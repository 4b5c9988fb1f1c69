import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import type { PlannedProbe } from "../core/release/plan/plan-probes.ts";
import { probeAgent } from "../xds/probe-agent.ts";
import { startProbeTraffic } from "./probe-traffic.ts";

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close().closeAllConnections();
});

interface Gateway {
  readonly port: number;
  readonly seen: string[];
}

/** `/503` and the like answer that status, and `/cut` breaks off. */
async function startGateway(): Promise<Gateway> {
  const seen: string[] = [];
  const server = createServer(({ method, url = "/", headers, socket }, response) => {
    seen.push(`${method} ${headers.host}${url} ${String(headers["x-a"] ?? "")}`.trim());
    expect(headers["user-agent"]).toBe(probeAgent);
    if (url === "/cut") socket.destroy();
    else if (url.startsWith("/envoy/"))
      response.writeHead(Number(url.slice(7, 10)), { server: "istio-envoy" }).end(url.slice(11));
    else response.writeHead(Number(/^\/(\d{3})$/u.exec(url)?.[1] ?? 200)).end("body");
  });
  servers.push(server);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return { port: (server.address() as AddressInfo).port, seen };
}

function probe(path: string, more: Partial<PlannedProbe> = {}): PlannedProbe {
  return { listener: "gateway", usesTls: false, host: "a.com", path, method: "GET", headers: {}, ...more };
}

function send(probes: readonly PlannedProbe[], port: number | undefined, perSecond = 1_000) {
  const locate = () => (port === undefined ? "the gateway listens nowhere" : { address: "127.0.0.1", port });
  return startProbeTraffic({ probes, perSecond, locate });
}

test("each is sent at least once, with all that it asks for, however soon the step is over", async () => {
  const { port, seen } = await startGateway();
  const probes = [probe("/"), probe("/404", { method: "HEAD" }), probe("/x", { headers: { "x-a": "1" } })];
  const { sent, ok, failed, unsent } = await send(probes, port).end();
  expect(new Set(seen)).toEqual(new Set(["GET a.com/", "HEAD a.com/404", "GET a.com/x 1"]));
  expect({ sent: seen.length, failed, unsent }).toEqual({ sent, failed: 0, unsent: 0 });
  expect(ok).toBe(sent);
});

test("what is answered from 500 on, or not at all, has failed", async () => {
  const { port } = await startGateway();
  const figures = await send([probe("/503"), probe("/cut"), probe("/200")], port).end();
  expect(figures.sent).toBe(figures.ok + figures.failed);
  expect(figures.ok).toBeGreaterThan(0);
  expect(figures.failures).toEqual([
    "GET a.com/503: answered 503",
    expect.stringMatching(/^GET a\.com\/cut: (socket hang up|read ECONNRESET)$/u),
  ]);
});

test("a gateway that is gone, or nowhere, fails each of them", async () => {
  const { port } = await startGateway();
  for (const server of servers.splice(0)) server.close();
  expect(await send([probe("/")], port).end()).toMatchObject({ ok: 0, failures: [expect.stringContaining("REFUSED")] });
  const nowhere = await send([probe("/")], undefined).end();
  expect(nowhere).toMatchObject({ ok: 0, failures: ["GET a.com/: the gateway listens nowhere"] });
});

test("nothing to ask is nothing sent", async () => {
  expect(await send([], 1).end()).toEqual({ sent: 0, ok: 0, failed: 0, unsent: 0, failures: [] });
});

test("a pace that does not reach all of them in time says how many were not asked", { timeout: 15_000 }, async () => {
  const { port } = await startGateway();
  const many = Array.from({ length: 20 }, (_, index) => probe(`/${index}`));
  const { sent, unsent } = await send(many, port, 2).end();
  expect(sent).toBeGreaterThan(3);
  expect(sent + unsent).toBe(20);
});

describe("once the weights are proved", () => {
  test.each([
    ["/envoy/404/", "GET a.com/envoy/404/: answered 404 by the gateway itself"],
    ["/envoy/503/", "GET a.com/envoy/503/: answered 503 by the gateway itself"],
  ])("%s, which no version has answered, belies them", async (path, said) => {
    const { port } = await startGateway();
    const traffic = send([probe("/"), probe(path)], port);
    expect(await traffic.confirm()).toBe(said);
    expect(await traffic.end()).toMatchObject({ failures: [said] });
  });

  test("answers of a version, and what is in the way of one, do not", async () => {
    const { port } = await startGateway();
    const paths = ["/404", "/503", "/cut", "/envoy/404/not%20here", "/envoy/503/upstream", "/envoy/403/"];
    const traffic = send(
      paths.map((path) => probe(path)),
      port,
    );
    expect(await traffic.confirm()).toBeUndefined();
    await traffic.end();
  });

  test("each is sent once more", async () => {
    const { port, seen } = await startGateway();
    const traffic = send([probe("/a"), probe("/b")], port, 20);
    await expect.poll(() => seen.length).toBeGreaterThanOrEqual(2);
    const before = seen.length;
    await traffic.confirm();
    expect(new Set(seen.slice(before))).toEqual(new Set(["GET a.com/a", "GET a.com/b"]));
    await traffic.end();
  });
});
