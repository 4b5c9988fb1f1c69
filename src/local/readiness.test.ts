import { createServer, type RequestListener } from "node:http";
import { describe, expect, it, onTestFinished } from "vitest";
import type { HostPort } from "../core/manifest/local-workload.ts";
import { FreePorts } from "./free-port.ts";
import { checkReadiness, ReadinessWatch } from "./readiness.ts";

async function serve(listener: RequestListener): Promise<HostPort> {
  const server = createServer(listener);
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (typeof address !== "object" || address === null) throw new Error("no address");
  return { host: "127.0.0.1", port: address.port };
}

describe("one check", () => {
  it.each([
    [200, true],
    [302, true],
    [404, false],
    [503, false],
  ])("of status %i is %s", async (status, expected) => {
    const at = await serve((_, response) => void response.writeHead(status).end());
    expect(await checkReadiness(at, { path: "/ready", timeoutMs: 1_000 })).toBe(expected);
  });

  it("asks for the path, and does not wait for a server that hangs, of which a connection is enough without one", async () => {
    const paths: (string | undefined)[] = [];
    const at = await serve((request) => void paths.push(request.url));
    const before = performance.now();
    expect(await checkReadiness(at, { path: "/ready?full=1", timeoutMs: 100 })).toBe(false);
    expect(performance.now() - before).toBeLessThan(1_000);
    expect(paths).toEqual(["/ready?full=1"]);
    expect(await checkReadiness(at, { path: undefined, timeoutMs: 1_000 })).toBe(true);
  });

  it("fails where nobody listens", async () => {
    const at = { host: "127.0.0.1", port: await new FreePorts().take() };
    expect(await checkReadiness(at, { path: undefined, timeoutMs: 1_000 })).toBe(false);
    expect(await checkReadiness(at, { path: "/", timeoutMs: 1_000 })).toBe(false);
  });
});

describe("a watch", () => {
  it("forgives two failures in a row and not three, and takes the first success", async () => {
    // One letter a check: whether it passes.
    const script = "nyynnynnnny";
    let step = 0;
    const at = await serve((_, response) => {
      response.writeHead(script[Math.min(step, script.length - 1)] === "y" ? 200 : 500).end();
      step += 1;
    });
    const turns: [boolean, number][] = [];
    const readiness = { path: "/", intervalMs: 5, timeoutMs: 1_000 };
    using watch = new ReadinessWatch({ at, readiness, onChange: (isReady) => turns.push([isReady, step]) });
    await expect.poll(() => turns.length).toBe(3);
    expect(turns).toEqual([
      [true, 2],
      [false, 9],
      [true, 11],
    ]);
    expect(watch.isReady).toBe(true);
  });
});

it("free ports are distinct, avoid what they should, and can be given back", async () => {
  const ports = new FreePorts();
  const taken = await Promise.all(Array.from({ length: 100 }, () => ports.take()));
  expect(new Set(taken).size).toBe(100);
  const at = await serve(() => undefined);
  expect(await ports.isFree(at.port)).toBe(false);
  expect(await ports.isFree(taken[0] ?? 0)).toBe(true);
});
