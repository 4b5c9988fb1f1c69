import { createServer, type Server } from "node:net";
import * as fc from "fast-check";
import { describe, expect, it, onTestFinished } from "vitest";
import { plainListener } from "../../test/gateway-table.fixture.ts";
import { KirikaeError } from "../core/diagnostics/error.ts";
import { findPortOwner, holdsPort } from "./port-owner.ts";
import { checkPortsFree, planGatewayPorts, type PortedListener } from "./ports.ts";

function listener(workload: string, port: number, ...gateways: string[]): PortedListener {
  const at = { file: "test.yaml", line: 1, column: 1 };
  return plainListener(
    workload,
    port,
    gateways.map((gateway) => ({ gateway, server: "http", hosts: ["*"], at })),
  );
}

const ingress80 = listener("istio=ingressgateway", 80, "sample-ns/sample");
const egress80 = listener("istio=egressgateway", 80, "sample-ns/out");
const ingress443 = listener("istio=ingressgateway", 443, "sample-ns/sample");

function plan(listeners: readonly PortedListener[], ...overrides: string[]): Record<string, number> {
  return Object.fromEntries(planGatewayPorts(listeners, { overrides }));
}

function hasCollision(listeners: readonly PortedListener[]): boolean {
  try {
    plan(listeners);
    return false;
  } catch (error) {
    if (error instanceof KirikaeError && error.code === "KIR5011") return true;
    throw error;
  }
}

describe("planning", () => {
  it("moves ports below 1024 up by 8000 and leaves the others", () => {
    expect(plan([ingress80, ingress443, listener("a=b", 15_443)])).toEqual({
      "istio=ingressgateway:80": 8080,
      "istio=ingressgateway:443": 8443,
      "a=b:15443": 15_443,
    });
  });

  it("moves a second workload on the same port a further 1000, ingress first, and not in the order of files", () => {
    const expected = { "istio=ingressgateway:80": 8080, "istio=egressgateway:80": 9080 };
    expect(plan([ingress80, egress80])).toEqual(expected);
    expect(plan([egress80, ingress80])).toEqual(expected);
  });

  it("takes an override for all gateways, or for one, and one gateway's does not move the others", () => {
    expect(plan([ingress80], "80=18080")).toEqual({ "istio=ingressgateway:80": 18_080 });
    expect(plan([ingress80, egress80], "sample-ns/out:80=9999")).toEqual({
      "istio=egressgateway:80": 9999,
      "istio=ingressgateway:80": 8080,
    });
    expect(plan([ingress80, egress80], "80=7000", "sample-ns/sample:80=80")).toEqual({
      "istio=egressgateway:80": 7000,
      "istio=ingressgateway:80": 80,
    });
  });

  it.each(["80", "80:8080", "0=1", "80=65536", "ns:80=1", "80=", "x=1", "a/b/c:80=1"])("refuses %s", (text) => {
    expect(() => plan([ingress80], text)).toThrow(expect.objectContaining({ code: "KIR5010", exitStatus: 2 }));
  });

  it("refuses an override of what does not exist, with the list of what does, and one that is given twice", () => {
    expect(() => plan([ingress80], "81=8081")).toThrow(
      expect.objectContaining({ code: "KIR5010", hint: "There are: sample-ns/sample:80." }),
    );
    expect(() => plan([ingress80], "80=1", "80=2")).toThrow(expect.objectContaining({ code: "KIR5010" }));
  });

  it("refuses a collision and says how to part them", () => {
    expect(() => plan([ingress80, listener("istio=ingressgateway", 8080, "sample-ns/other")])).toThrow(
      expect.objectContaining({ code: "KIR5011", exitStatus: 2, hint: expect.stringContaining("--gateway-port ") }),
    );
    expect(() => plan([listener("a=1", 65_000), listener("a=2", 65_000)])).toThrow(
      expect.objectContaining({ code: "KIR5011" }),
    );
  });

  it("leaves running listeners where they are when the manifests change", () => {
    const previous = planGatewayPorts([ingress80], { overrides: ["80=7777"] });
    const next = planGatewayPorts([ingress80, egress80], { overrides: ["80=7777", "443=1"], previous });
    expect(next.get(ingress80.id)).toBe(7777);
    expect(next.get(egress80.id)).toBe(8777);
  });

  it("does not give a new listener the place of one that keeps it", () => {
    const previous = planGatewayPorts([ingress80], { overrides: [] });
    const next = planGatewayPorts([ingress80, egress80], { overrides: [], previous });
    expect(Object.fromEntries(next)).toEqual({ "istio=ingressgateway:80": 8080, "istio=egressgateway:80": 9080 });
  });

  it("gives distinct ports in any order, the same every time", () => {
    const anyListeners = fc.uniqueArray(
      fc.tuple(fc.constantFrom("a=1", "b=2", "c=3"), fc.integer({ min: 1, max: 1023 })),
      {
        selector: ([workload, port]) => `${workload}:${port}`,
      },
    );
    fc.assert(
      fc.property(anyListeners, (pairs) => {
        const listeners = pairs.map(([workload, port]) => listener(workload, port));
        fc.pre(!hasCollision(listeners));
        const ports = plan(listeners);
        expect(new Set(Object.values(ports)).size).toBe(listeners.length);
        expect(plan(listeners.toReversed())).toEqual(ports);
      }),
    );
  });
});

async function listen(): Promise<{ server: Server; port: number }> {
  const server = createServer();
  onTestFinished(() => void server.close());
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const address = server.address();
  if (typeof address !== "object" || address === null) throw new Error("no address");
  return { server, port: address.port };
}

describe("ports of this machine", () => {
  it("names the process that has a port", async () => {
    const { server, port } = await listen();
    expect(findPortOwner(port)).toMatchObject({ pid: process.pid });
    expect(holdsPort(process.pid, port)).toBe(true);
    expect(holdsPort(1, port)).toBe(false);
    await new Promise((resolve) => {
      server.close(resolve);
    });
    expect(findPortOwner(port)).toBeUndefined();
  });

  it("refuses a taken port with who has it and what to do, but not when our own Envoy has it", async () => {
    const { server, port } = await listen();
    const options = { ports: new Map([[ingress80.id, port]]), address: "127.0.0.1" };
    await expect(checkPortsFree([ingress80], { ...options, ownPids: [] })).rejects.toMatchObject({
      code: "KIR5012",
      exitStatus: 3,
      message: expect.stringContaining(`(pid ${process.pid})`),
      hint: expect.stringContaining("--gateway-port 80="),
    });
    await checkPortsFree([ingress80], { ...options, ownPids: [process.pid] });
    await new Promise((resolve) => {
      server.close(resolve);
    });
    await checkPortsFree([ingress80], { ...options, ownPids: [] });
  });
});
