import { readFileSync } from "node:fs";
import { request } from "node:http";
import { expect, test } from "vitest";
import { controlPlaneCluster } from "../../src/core/envoy/names.ts";
import { locateStateFolder } from "../../src/local/state-folder.ts";
import { EnvoyAdmin } from "../../src/targets/local-envoy/admin.ts";
import { eventually, freePort, type RunningUp, Sandbox } from "./product.ts";

/** A thousand VirtualServices on one gateway, of which every tenth has a wildcard. */
const many = 1_000;

const gateway = `apiVersion: networking.istio.io/v1
kind: Gateway
metadata: { name: gateway, namespace: apps }
spec:
  selector: { istio: ingressgateway }
  servers:
    - port: { number: 80, name: http, protocol: HTTP }
      hosts: ["*.example.com"]
`;

function virtualService(index: number, answer: string): string {
  const host = index % 10 === 9 ? `"*.app-${index}.example.com"` : `app-${index}.example.com`;
  return `apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: app-${index}, namespace: apps }
spec:
  hosts: [${host}]
  gateways: [gateway]
  http:
    - match: [{ uri: { prefix: /only } }]
      directResponse: { status: 201, body: { string: "only ${index}" } }
    - match: [{ uri: { prefix: /app } }]
      directResponse: { status: 200, body: { string: "${answer}" } }
`;
}

const fileOf = (index: number): string => `app-${index}.yaml`;

function manifests(): Readonly<Record<string, string>> {
  const apps = Array.from({ length: many }, (_, index) => [fileOf(index), virtualService(index, `first ${index}`)]);
  return { "gateway.yaml": gateway, ...Object.fromEntries(apps) };
}

async function ask(port: number, host: string): Promise<string> {
  return await new Promise((resolve, reject) => {
    const sent = request({ host: "127.0.0.1", port, path: "/app", headers: { host }, agent: false }, (response) => {
      let body = "";
      response.on("data", (chunk: Buffer) => (body += chunk.toString()));
      response.on("end", () => resolve(`${response.statusCode} ${body}`));
    });
    sent.on("error", reject);
    sent.end();
  });
}

interface Received {
  readonly bytes: number;
  /** How often Envoy has taken a route configuration, by its name. */
  readonly routes: ReadonlyMap<string, number>;
  /** How often it has taken anything of another type than routes and runtime values. */
  readonly others: number;
}

async function readReceived(sandbox: Sandbox): Promise<Received> {
  const { bootstrap } = locateStateFolder({ KIRIKAE_STATE: sandbox.state });
  using admin = new EnvoyAdmin(JSON.parse(readFileSync(bootstrap, "utf8")).admin.address.pipe.path);
  const stats = await admin.stats("(update_success|scoped_rds.*config_reload|upstream_cx_rx_bytes_total)$", {
    usedOnly: true,
  });
  const routes = new Map<string, number>();
  let others = 0;
  for (const [name, value] of stats) {
    const routing = /\.rds\.(?<name>.*)\.update_success$/.exec(name)?.groups?.["name"];
    if (routing !== undefined) routes.set(routing, value);
    else if (name.includes("update_success") && !name.includes("runtime") && !name.includes("rtds")) others += value;
  }
  return { bytes: stats.get(`cluster.${controlPlaneCluster}.upstream_cx_rx_bytes_total`) ?? 0, routes, others };
}

function appliedCount(up: RunningUp): number {
  return up.lines.filter((line) => line["event"] === "manifestsApplied").length;
}

test("a saved file among thousands is told to Envoy alone, and every way of writing its host shows it", async () => {
  await using sandbox = new Sandbox(manifests());
  const up = await sandbox.up({ args: ["--gateway-port", `80=${await freePort()}`] });
  const { port } = await up.gateway();
  let applied = 0;
  const save = async (index: number, answer: string): Promise<Received & { readonly changed: readonly string[] }> => {
    const before = await readReceived(sandbox);
    sandbox.write(fileOf(index), virtualService(index, answer));
    applied += 1;
    await eventually("the saved file", async () => (appliedCount(up) >= applied ? true : undefined), 120_000);
    const after = await readReceived(sandbox);
    const changed = [...after.routes].filter(([name, count]) => count !== before.routes.get(name));
    return {
      bytes: after.bytes - before.bytes,
      routes: after.routes,
      others: after.others - before.others,
      changed: changed.map(([name]) => name),
    };
  };

  const exact = await save(7, "second 7");
  expect(exact.changed).toEqual([expect.stringMatching(/app-7\.example\.com$/)]);
  expect(exact.others).toBe(0);
  expect(exact.bytes).toBeLessThan(6_000);
  for (const host of ["app-7.example.com", "APP-7.Example.com", "app-7.example.com:8080", "App-7.example.com:1"]) {
    expect(await ask(port, host)).toBe("200 second 7");
  }

  const wildcard = await save(19, "second 19");
  expect(wildcard.changed).toEqual([expect.stringMatching(/\*\.app-19\.example\.com$/)]);
  expect(wildcard.others).toBe(0);
  expect(wildcard.bytes).toBeLessThan(6_000);
  const wildcardHosts = ["one.app-19.example.com", "One.APP-19.example.com:80", "a.b.app-19.example.com:1"];
  for (const host of wildcardHosts) expect(await ask(port, host)).toBe("200 second 19");
  for (const host of ["app-19.example.com", "elsewhere.example.com"]) expect(await ask(port, host)).toBe("404 ");

  for (const index of [6, 8]) expect(await ask(port, `app-${index}.example.com`)).toBe(`200 first ${index}`);
  expect(await ask(port, "one.app-9.example.com")).toBe("200 first 9");
  expect(await ask(port, "app-7.example.com")).toBe("200 second 7");
}, 360_000);
