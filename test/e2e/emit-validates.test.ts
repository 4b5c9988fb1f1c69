import { execFile } from "node:child_process";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, inject, test } from "vitest";
import { buildMeshModel } from "../../src/core/mesh-model.ts";
import type { RouteTable } from "../../src/core/routes/route-table.ts";
import { issueCertificate } from "../certificates.fixture.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import { mergeDocuments, type NamedTable } from "./merged-document.ts";
import { onFreePorts, Sandbox } from "./product.ts";

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

const goldens = new URL("../../testdata/routes/", import.meta.url);

/** What each golden case becomes. */
function readGoldens(): readonly NamedTable[] {
  const files = readdirSync(goldens).filter((file) => file.endsWith(".in.yaml"));
  return files.map((path) => {
    const text = readFileSync(new URL(path, goldens), "utf8");
    const { table } = buildMeshModel([{ path, text }], { defaultNamespace: "default" });
    return { name: path.replace(/\.in\.yaml$/, ""), table };
  });
}

/** The cases that Envoy refuses, each with what it says: all in one start where it refuses none. */
async function findRefused(tables: readonly NamedTable[], folder: string): Promise<readonly string[]> {
  const file = join(folder, "envoy.json");
  writeFileSync(file, JSON.stringify(mergeDocuments(tables)));
  const complaint = await validate(file).then(
    () => undefined,
    (error: unknown) => String(error),
  );
  if (complaint === undefined) return [];
  if (tables.length === 1) return [`${tables[0]?.name}: ${complaint}`];
  const middle = Math.ceil(tables.length / 2);
  const first = await findRefused(tables.slice(0, middle), folder);
  return [...first, ...(await findRefused(tables.slice(middle), folder))];
}

test("Envoy accepts what every golden case becomes", async () => {
  const tables = readGoldens();
  expect(tables.length).toBeGreaterThan(200);
  await using folder = await temporaryFolder();
  expect(await findRefused(tables, folder.path)).toEqual([]);
});

test("what Envoy refuses among many is found and named", async () => {
  const [whole, broken] = readGoldens().filter(({ name }) => name === "direct-response" || name === "weights");
  if (whole === undefined || broken === undefined) throw new Error("the cases direct-response and weights are gone");
  await using folder = await temporaryFolder();
  const listeners = broken.table.listeners.map((listener) => ({ ...listener, filterChains: twice(listener) }));
  const refused = await findRefused([whole, { ...broken, table: { ...broken.table, listeners } }], folder.path);
  expect(refused).toHaveLength(1);
  expect(refused[0]).toContain("weights: ");
});

/** Two filter chains for the same connections, which Envoy refuses. */
function twice({ filterChains }: RouteTable["listeners"][number]): RouteTable["listeners"][number]["filterChains"] {
  return [...filterChains, ...filterChains];
}

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

const secured = (certificate: string, key: string): string => `
apiVersion: v1
kind: Secret
metadata: {name: shop-cert, namespace: istio-system}
type: kubernetes.io/tls
data:
  tls.crt: ${Buffer.from(certificate).toString("base64")}
  tls.key: ${Buffer.from(key).toString("base64")}
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: web, namespace: istio-system}
spec:
  selector: {istio: ingressgateway}
  servers:
  - port: {number: 443, name: https, protocol: HTTPS}
    tls: {mode: SIMPLE, credentialName: shop-cert}
    hosts: [shop.example.com]
  - port: {number: 443, name: pass, protocol: TLS}
    tls: {mode: PASSTHROUGH}
    hosts: [bytes.example.com]
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: bytes, namespace: istio-system}
spec:
  hosts: [bytes.example.com]
  ports: [{number: 443, name: tls, protocol: TLS}]
  resolution: STATIC
  endpoints: [{address: 192.0.2.1}]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: shop, namespace: istio-system}
spec:
  hosts: [shop.example.com]
  gateways: [web]
  http: [{directResponse: {status: 200, body: {string: shop}}}]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: bytes, namespace: istio-system}
spec:
  hosts: [bytes.example.com]
  gateways: [web]
  tls:
  - match: [{port: 443, sniHosts: [bytes.example.com]}]
    route: [{destination: {host: bytes.example.com, port: {number: 443}}}]
`;

test("a document with TLS is accepted, and no form of it holds a private key", async () => {
  const { certificate, key } = issueCertificate({ name: "shop.example.com", hosts: ["shop.example.com"] });
  await using sandbox = new Sandbox({ "mesh.yaml": secured(certificate, key) });
  const secret = Buffer.from(key).toString("base64");
  for (const type of ["all", "listeners", "routes", "clusters", "endpoints", "secrets"]) {
    const { stdout, stderr } = await sandbox.cli(["emit", sandbox.manifests, "--type", type, "--format", "json"]);
    expect(stderr).toContain("1 secret");
    expect(stdout + stderr).not.toContain("PRIVATE KEY");
    expect(stdout + stderr).not.toContain(secret.slice(0, 40));
    if (type === "secrets") expect(stdout).toContain("withheld");
    if (type !== "all") continue;
    expect(JSON.parse(stdout).staticResources.listeners[0].filterChains).toHaveLength(2);
    const file = join(sandbox.root, "envoy.json");
    writeFileSync(file, stdout);
    expect(await validate(file)).toContain("OK");
  }
});

test("explain tells chains apart by the server name, and the running Envoy agrees", async () => {
  const { certificate, key } = issueCertificate({ name: "shop.example.com", hosts: ["shop.example.com"] });
  await using sandbox = new Sandbox({ "mesh.yaml": secured(certificate, key) });
  await sandbox.up({ args: await onFreePorts(443) });
  const ask = async (...args: readonly string[]) => {
    const { stdout, stderr } = await sandbox.cli(["explain", sandbox.manifests, ...args, "--json"]);
    return JSON.parse(stdout === "" ? stderr : stdout);
  };
  expect(await ask("--url", "https://shop.example.com/", "--live")).toMatchObject({
    outcome: "direct",
    filterChain: { serverNames: ["shop.example.com"], tls: "simple" },
    live: { agrees: true, status: 200 },
  });
  expect(await ask("--tcp", "x:443", "--sni", "bytes.example.com")).toMatchObject({
    outcome: "tcp",
    virtualService: "istio-system/bytes",
    arms: [{ host: "bytes.example.com", endpoints: ["192.0.2.1:443"] }],
  });
  expect(await ask("--url", "https://bytes.example.com/")).toMatchObject({ outcome: "tcp" });
  expect(await ask("--url", "https://a.example.com/", "--sni", "shop.example.com")).toMatchObject({
    outcome: "miss",
    filterChain: { serverNames: ["shop.example.com"] },
  });
  expect(await ask("--url", "https://other.example.com/")).toMatchObject({ outcome: "reset" });
  expect(await ask("--url", "http://shop.example.com:443/")).toMatchObject({ outcome: "reset" });
});
