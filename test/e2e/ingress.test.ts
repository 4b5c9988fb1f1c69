import { once } from "node:events";
import { createServer, request } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, test } from "vitest";
import { buildMeshModel } from "../../src/core/mesh-model.ts";
import { explain } from "../../src/core/routes/explain.ts";
import { type IssuedCertificate, issueCertificate } from "../certificates.fixture.ts";
import { eventually, freePort, type RunningUp, Sandbox } from "./product.ts";
import { callTls } from "./tls-client.ts";

const authority = issueCertificate({ name: "authority" });
const shop = issueCertificate({ name: "shop", hosts: ["shop.test"], issuer: authority });
const admin = issueCertificate({ name: "admin", hosts: ["admin.test"], issuer: authority });

interface Path {
  readonly path: string;
  readonly pathType: "Exact" | "Prefix" | "ImplementationSpecific";
  readonly to: "web" | "api";
}

const shopPaths: readonly Path[] = [
  { path: "/", pathType: "Prefix", to: "web" },
  { path: "/api", pathType: "Prefix", to: "api" },
  { path: "/api/exact", pathType: "Exact", to: "web" },
  { path: "/slash/", pathType: "Prefix", to: "api" },
  { path: "/old/*", pathType: "ImplementationSpecific", to: "api" },
  { path: "/older.*", pathType: "ImplementationSpecific", to: "api" },
  { path: "/v[12]", pathType: "ImplementationSpecific", to: "api" },
];

function ingress(name: string, rules: Readonly<Record<string, readonly Path[]>>, tls: readonly object[] = []): string {
  const spec = {
    tls,
    rules: Object.entries(rules).map(([host, paths]) => ({
      ...(host === "*" ? {} : { host }),
      http: {
        paths: paths.map(({ to, ...rest }) => ({
          ...rest,
          backend: { service: { name: to, port: { name: "http" } } },
        })),
      },
    })),
  };
  const metadata = { name, annotations: { "kubernetes.io/ingress.class": "istio" } };
  return JSON.stringify({ apiVersion: "networking.k8s.io/v1", kind: "Ingress", metadata, spec });
}

function secret(name: string, { certificate, key }: IssuedCertificate): string {
  const data = { "tls.crt": btoa(certificate), "tls.key": btoa(key) };
  const metadata = { name, namespace: "istio-system" };
  return JSON.stringify({ apiVersion: "v1", kind: "Secret", type: "kubernetes.io/tls", metadata, data });
}

function service(name: string, port: number): string {
  const spec = { selector: { app: name }, ports: [{ name: "http", port: 80, targetPort: port }] };
  const entry = { address: "127.0.0.1", labels: { app: name } };
  return [
    JSON.stringify({ apiVersion: "v1", kind: "Service", metadata: { name }, spec }),
    JSON.stringify({
      apiVersion: "networking.istio.io/v1",
      kind: "WorkloadEntry",
      metadata: { name: `${name}-1` },
      spec: entry,
    }),
  ].join("\n---\n");
}

const shopIngress = ingress(
  "shop",
  { "shop.test": shopPaths, "*.wild.test": [{ path: "/only", pathType: "Prefix", to: "api" }] },
  [{ hosts: ["shop.test"], secretName: "shop-tls" }],
);
const adminIngress = ingress("admin", { "admin.test": [{ path: "/", pathType: "Prefix", to: "api" }] }, [
  { hosts: ["admin.test"], secretName: "admin-tls" },
]);

interface Backend extends AsyncDisposable {
  readonly port: number;
}

/** Answers with its name and the path that it sees. */
async function startBackend(name: string): Promise<Backend> {
  const server = createServer((incoming, response) => response.end(`${name} ${incoming.url}`));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** The answer's status, or what the backend said. */
function call(port: number, host: string, path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const sent = request({ host: "127.0.0.1", port, path, headers: { host }, agent: false }, (response) => {
      let body = "";
      response.setEncoding("utf8");
      response.on("data", (text: string) => (body += text));
      response.on("end", () => resolve(response.statusCode === 200 ? body : String(response.statusCode)));
    });
    sent.on("error", reject);
    sent.end();
  });
}

/** Where a port of the Ingresses' gateway is on this machine. */
async function portOf(up: RunningUp, start: string): Promise<number> {
  const { gateways } = await up.ready;
  const found = gateways.find(({ server }) => server.startsWith(start));
  return Number(found?.address.split(":")[1]);
}

const paths = [
  "/ /x /api /api/ /api/x /api?x=1 /apix /API /api/exact /api/exact/ //api /api//x",
  "/slash /slash/ /slash/x /slashx /a/../api/x /api%2Fx /%61pi",
  "/old /old/ /old/x /oldx /older /older/x /olderx /v1 /v[12]",
].flatMap((line) => line.split(" "));

test("an Ingress is served by HTTP and TLS as explain says, and follows its file", async () => {
  await using web = await startBackend("web");
  await using api = await startBackend("api");
  await using sandbox = new Sandbox({
    "ingress.yaml": shopIngress,
    "admin.yaml": adminIngress,
    "secrets.yaml": `${secret("shop-tls", shop)}\n---\n${secret("admin-tls", admin)}`,
    "services.yaml": `${service("web", web.port)}\n---\n${service("api", api.port)}`,
  });
  const [plain, secure] = [await freePort(), await freePort()];
  const up = await sandbox.up({ args: ["--gateway-port", `80=${plain}`, "--gateway-port", `443=${secure}`] });
  expect([await portOf(up, "http-80"), await portOf(up, "https-443")]).toEqual([plain, secure]);

  const sources = [shopIngress, adminIngress, `${service("web", web.port)}\n---\n${service("api", api.port)}`];
  const { table } = buildMeshModel(
    sources.map((text, index) => ({ path: `${index}.yaml`, text })),
    { defaultNamespace: "default" },
  );
  const expected = (host: string, path: string): string => {
    const asked = { port: 80, scheme: "http" as const, authority: host, method: "GET", target: path, headers: [] };
    const { status, arms } = explain(table, asked, { endpoints: () => [] });
    const [host0 = ""] = arms.map((arm) => arm.host);
    return status === 200 ? (host0.split(".")[0] ?? "") : String(status);
  };
  const asked = ["shop.test", "x.wild.test", "wild.test", "SHOP.test:80"].flatMap((host) =>
    paths.map((path) => [host, path] as const),
  );
  const answers = await Promise.all(asked.map(async ([host, path]) => (await call(plain, host, path)).split(" ")[0]));
  expect(asked.map((each, index) => [...each, answers[index]])).toEqual(
    asked.map(([host, path]) => [host, path, expected(host, path)]),
  );
  expect(new Set(answers)).toEqual(new Set(["web", "api", "404"]));
  expect(await call(plain, "shop.test", "/api/x?y=1")).toBe("api /api/x?y=1");

  const secured = { port: secure, trust: authority };
  expect(await callTls({ ...secured, name: "shop.test", path: "/api/x" })).toMatchObject({
    status: 200,
    body: "api /api/x",
    shown: "shop",
  });
  expect(await callTls({ ...secured, name: "shop.test", path: "/apix" })).toMatchObject({
    status: 200,
    body: "web /apix",
  });
  expect(await callTls({ ...secured, name: "admin.test" })).toMatchObject({
    status: 200,
    body: "api /",
    shown: "admin",
  });
  await expect(callTls({ ...secured, name: "other.test" })).rejects.toThrow(/disconnected|ECONNRESET|hang up/);

  sandbox.write("ingress.yaml", ingress("shop", { "shop.test": [{ path: "/", pathType: "Exact", to: "api" }] }));
  await eventually("the saved Ingress", async () =>
    (await call(plain, "shop.test", "/")) === "api /" ? true : undefined,
  );
  expect(await call(plain, "shop.test", "/x")).toBe("404");
  sandbox.write("ingress.yaml", shopIngress.replace('ingress.class":"istio', 'ingress.class":"nginx'));
  await eventually("the Ingress to be another's", async () =>
    (await call(plain, "shop.test", "/")) === "404" ? true : undefined,
  );
  expect(await call(plain, "admin.test", "/")).toBe("api /");
}, 120_000);
