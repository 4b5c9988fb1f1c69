import { once } from "node:events";
import { createServer } from "node:http";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { onFreePorts, Sandbox } from "./product.ts";

/** An app that remembers what reached it. */
async function startApp(stack: AsyncDisposableStack): Promise<{ readonly port: number; readonly seen: string[] }> {
  const seen: string[] = [];
  const server = createServer((request, response) => {
    seen.push(`${request.method} ${request.url}`);
    response.end("app");
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  stack.defer(async () => {
    server.closeAllConnections();
    server.close();
    await once(server, "close");
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return { port: address.port, seen };
}

const mesh = (port: number) => `
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: web, namespace: demo}
spec:
  selector: {istio: ingressgateway}
  servers:
  - port: {number: 80, name: http, protocol: HTTP}
    hosts: ["*.example.com"]
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: app, namespace: demo}
spec:
  hosts: [app.example.com]
  ports: [{number: 80, name: http, protocol: HTTP}]
  resolution: STATIC
  endpoints:
  - {address: 127.0.0.1, ports: {http: ${port}}, labels: {v: "1"}}
  - {address: 127.0.0.1, ports: {http: ${port}}, labels: {v: "2"}}
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: app, namespace: demo}
spec: {host: app.example.com, subsets: [{name: v1, labels: {v: "1"}}, {name: v2, labels: {v: "2"}}]}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: a, namespace: demo}
spec:
  hosts: [a.example.com]
  gateways: [web]
  http:
  - match: [{uri: {prefix: /old}}]
    redirect: {uri: /new, redirectCode: 308}
  - match: [{uri: {prefix: /fixed}}]
    directResponse: {status: 418}
  - match: [{uri: {prefix: /made}}]
    directResponse: {status: 201}
  - match: [{uri: {prefix: /faulty}}]
    fault: {abort: {httpStatus: 555, percentage: {value: 100}}}
    route: [{destination: {host: app.example.com, subset: v1}}]
  - match: [{uri: {prefix: /app}}]
    route:
    - {destination: {host: app.example.com, subset: v1}, weight: 100}
    - {destination: {host: app.example.com, subset: v2}, weight: 0}
`;

test("the running Envoy is asked, agrees or differs, and no app sees a request", async () => {
  await using stack = new AsyncDisposableStack();
  const { port, seen } = await startApp(stack);
  const sandbox = stack.use(new Sandbox({ "mesh.yaml": mesh(port) }));
  await sandbox.up({ args: await onFreePorts(80) });
  const ask = async (path: string, ...args: readonly string[]) => {
    const url = `http://a.example.com${path}`;
    const { stdout, stderr, exitCode } = await sandbox.cli([
      "explain",
      sandbox.manifests,
      "--url",
      url,
      "--live",
      "--json",
      ...args,
    ]);
    if (stdout === "") throw new Error(stderr);
    return { exitCode, ...JSON.parse(stdout) };
  };
  expect(await ask("/app/x?y=1", "-X", "POST", "-H", "x-one: 1")).toMatchObject({
    exitCode: 0,
    live: { agrees: true, cluster: "outbound|80|v1|app.example.com", status: null, differences: [] },
  });
  expect(await ask("/faulty")).toMatchObject({ live: { agrees: true, cluster: "outbound|80|v1|app.example.com" } });
  expect(await ask("/old/x")).toMatchObject({
    outcome: "redirect",
    live: { agrees: true, cluster: null, status: 308, location: "http://a.example.com/new" },
  });
  expect(await ask("/fixed")).toMatchObject({ outcome: "direct", live: { agrees: true, status: 418 } });
  expect(await ask("/made")).toMatchObject({ outcome: "direct", live: { agrees: true, status: 201 } });
  expect(await ask("/old", "-X", "POST")).toMatchObject({ live: { agrees: true, status: null } });
  expect(await ask("/old", "-X", "POST", "--send")).toMatchObject({ live: { agrees: true, status: 308 } });
  expect(await ask("/none")).toMatchObject({ outcome: "miss", live: { agrees: true, route: null, status: 404 } });

  const moved = await sandbox.cli(["switch", "demo/a", "--to", "v2", "--json"]);
  expect(JSON.parse(moved.stdout)).toMatchObject({ ok: true });
  expect(await ask("/app")).toMatchObject({
    arms: [{ subset: "v2", weightPercent: 100 }],
    live: { agrees: true, cluster: "outbound|80|v2|app.example.com" },
  });

  // What a folder says that is not the one that runs.
  const other = join(sandbox.root, "other.yaml");
  writeFileSync(other, mesh(port).replace("prefix: /old", "prefix: /older"));
  const asked = ["explain", other, "--url", "http://a.example.com/old", "--live"];
  const differing = await sandbox.cli(asked);
  expect(differing).toMatchObject({ exitCode: 1, stdout: expect.stringContaining("Envoy differs") });
  expect(differing.stdout).toContain("and the manifests by no route");
  // The preflight of the switch asks for / alone.
  expect(seen.filter((line) => line !== "GET /")).toEqual([]);
});

test("without a running up nothing can be asked", async () => {
  await using sandbox = new Sandbox({ "mesh.yaml": mesh(1) });
  const url = ["explain", sandbox.manifests, "--url", "http://a.example.com/", "--live"];
  expect(await sandbox.cli(url)).toMatchObject({ exitCode: 3, stderr: expect.stringContaining("KIR5050") });
});
