import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { issueCertificate } from "../certificates.fixture.ts";
import { onFreePorts, Sandbox } from "./product.ts";

const authority = issueCertificate({ name: "authority" });
const server = issueCertificate({ name: "server", hosts: ["a.example.com"], issuer: authority });
const client = issueCertificate({ name: "client", issuer: authority });

const indent = (pem: string): string => pem.trim().replaceAll(/^/gmu, "    ");

const mesh = (port: number) => `
apiVersion: v1
kind: Secret
metadata: {name: both, namespace: istio-system}
stringData:
  tls.crt: |
${indent(server.certificate)}
  tls.key: |
${indent(server.key)}
  ca.crt: |
${indent(authority.certificate)}
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: web, namespace: demo}
spec:
  selector: {istio: ingressgateway}
  servers:
  - port: {number: 443, name: https, protocol: HTTPS}
    tls: {mode: MUTUAL, credentialName: both}
    hosts: [a.example.com]
  - port: {number: 5432, name: tcp, protocol: TCP}
    hosts: ["*"]
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: app, namespace: demo}
spec:
  hosts: [app.example.com]
  ports: [{number: 5432, name: tcp, protocol: TCP}]
  resolution: STATIC
  endpoints: [{address: 127.0.0.1, ports: {tcp: ${port}}}]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: a, namespace: demo}
spec:
  hosts: [a.example.com]
  gateways: [web]
  http: [{match: [{uri: {prefix: /fixed}}], directResponse: {status: 418}}]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: db, namespace: demo}
spec:
  hosts: ["*"]
  gateways: [web]
  tcp: [{match: [{port: 5432}], route: [{destination: {host: app.example.com}}]}]
`;

/** An app that counts its connections. */
async function startApp(stack: AsyncDisposableStack): Promise<{ readonly port: number; readonly seen: Set<Socket> }> {
  const seen = new Set<Socket>();
  const app = createServer((socket) => {
    seen.add(socket);
    socket.on("error", () => undefined);
  }).listen(0, "127.0.0.1");
  await once(app, "listening");
  stack.defer(async () => {
    for (const socket of seen) socket.destroy();
    app.close();
    await once(app, "close");
  });
  const address = app.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return { port: address.port, seen };
}

test("servers that want a client certificate are asked with one, and connections of bytes are opened when allowed", async () => {
  await using stack = new AsyncDisposableStack();
  const { port, seen } = await startApp(stack);
  const sandbox = stack.use(new Sandbox({ "mesh.yaml": mesh(port) }));
  await sandbox.up({ args: await onFreePorts(443, 5432) });
  const cert = join(sandbox.root, "client.crt");
  const key = join(sandbox.root, "client.key");
  writeFileSync(cert, client.certificate);
  writeFileSync(key, client.key, { mode: 0o600 });
  const explain = (...args: readonly string[]) => sandbox.cli(["explain", sandbox.manifests, "--live", ...args]);
  const ask = async (...args: readonly string[]) => {
    const { stdout, stderr } = await explain("--json", ...args);
    if (stdout === "") throw new Error(stderr);
    return JSON.parse(stdout);
  };
  const fixed = ["--url", "https://a.example.com/fixed"];
  expect(await ask(...fixed, "--cert", cert, "--key", key)).toMatchObject({
    status: 418,
    live: { agrees: true, status: 418, ended: null },
  });
  // What the manifests say is told, also where Envoy cannot be asked.
  expect(await explain(...fixed)).toMatchObject({
    exitCode: 2,
    stdout: expect.stringContaining("answered by the proxy itself, 418"),
    stderr: expect.stringContaining("--cert"),
  });
  expect((await explain(...fixed, "--cert", cert)).stderr).toContain("go together");
  expect(await ask("--url", "https://other.example.com/")).toMatchObject({
    outcome: "reset",
    live: { agrees: true, ended: "the connection was reset" },
  });

  const bytes = ["--tcp", "db.example.com:5432"];
  expect(await explain(...bytes)).toMatchObject({ exitCode: 2, stderr: expect.stringContaining("--send") });
  expect(seen.size).toBe(0);
  expect(await ask(...bytes, "--send")).toMatchObject({
    outcome: "tcp",
    live: { agrees: true, carries: true, ended: null },
  });
  expect(seen.size).toBe(1);
  expect(await ask("--tcp", "a.example.com:443", "--send")).toMatchObject({
    outcome: "reset",
    live: { agrees: true, carries: false, ended: expect.any(String) },
  });
});
