import { execFile } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, inject, test } from "vitest";
import { Sandbox } from "./product.ts";

const run = promisify(execFile);

/** What Envoy says about a file, on a machine that it takes nothing from. */
async function validate(file: string): Promise<string> {
  const { path } = inject("envoyBinary");
  const { stdout, stderr } = await run(path, ["--mode", "validate", "-c", file, "-l", "error"]);
  return stdout + stderr;
}

test.each(["blue-green", "canary", "instant-switch"])("Envoy accepts what emit prints for %s", async (name) => {
  await using sandbox = new Sandbox({ copyOf: `examples/${name}` });
  for (const format of ["yaml", "json"]) {
    const { stdout, exitCode } = await sandbox.cli(["emit", sandbox.manifests, "--format", format]);
    expect(exitCode).toBe(0);
    const file = join(sandbox.root, `envoy.${format}`);
    writeFileSync(file, stdout);
    expect(await validate(file)).toContain("OK");
  }
});

const everyAction = `
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
kind: Gateway
metadata: {name: inner, namespace: demo}
spec:
  selector: {istio: other}
  servers:
  - port: {number: 80, name: http, protocol: HTTP}
    hosts: ["*"]
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: app, namespace: demo}
spec:
  hosts: [app.example.com]
  ports: [{number: 80, name: http, protocol: HTTP}]
  resolution: STATIC
  endpoints: [{address: 192.0.2.1, labels: {v: "1"}}, {address: 192.0.2.2, labels: {v: "2"}}]
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: named, namespace: demo}
spec:
  hosts: [named.example.com]
  ports: [{number: 80, name: http, protocol: HTTP}]
  resolution: DNS
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
  gateways: [web, inner]
  http:
  - match: [{uri: {regex: "/r/[0-9]+"}, headers: {x: {exact: "y"}}}]
    redirect: {uri: /new, redirectCode: 308}
  - match: [{uri: {prefix: /direct}}]
    directResponse: {status: 200, body: {string: hello}}
  - match: [{uri: {prefix: /missing}}]
    route: [{destination: {host: nowhere.example.com, port: {number: 80}}}]
  - match: [{uri: {prefix: /named}}]
    route: [{destination: {host: named.example.com}}]
  - mirror: {host: app.example.com, subset: v2}
    route:
    - {destination: {host: app.example.com, subset: v1}, weight: 1}
    - {destination: {host: app.example.com, subset: v2}, weight: 2}
`;

test("one document holds every kind of action, destinations that are missing, and gateways on one port", async () => {
  await using sandbox = new Sandbox({ "mesh.yaml": everyAction });
  const { stdout, stderr } = await sandbox.cli(["emit", sandbox.manifests, "--format", "json"]);
  expect(stderr).toContain("KIR1021");
  const file = join(sandbox.root, "envoy.json");
  writeFileSync(file, stdout);
  expect(await validate(file)).toContain("OK");
  const { staticResources } = JSON.parse(stdout);
  expect(staticResources.listeners).toHaveLength(2);
  expect(stdout).not.toContain('"ads"');
  const one = await sandbox.cli(["emit", sandbox.manifests, "--format", "json", "--gateway", "demo/inner"]);
  expect(JSON.parse(one.stdout).staticResources.listeners).toHaveLength(1);
  const clusters = await sandbox.cli(["emit", sandbox.manifests, "--format", "json", "--type", "clusters"]);
  expect(JSON.parse(clusters.stdout)).toContainEqual(
    expect.objectContaining({ name: "outbound|80|v1|app.example.com", type: "EDS" }),
  );
});
