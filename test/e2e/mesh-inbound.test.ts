import { request } from "node:http";
import { connect } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { InboundStatus, Status } from "../../src/api/types.ts";
import { eventually, freePort, Sandbox } from "./product.ts";

// What stands before workloads with a sidecar: Istio's limits and counts are there, and nothing else is in the way.

const workload = (name: string, { labels = "", replicas = 1, program = "app.js" } = {}): string => `
---
apiVersion: kirikae.dev/v1alpha1
kind: LocalWorkload
metadata: { name: ${name}, namespace: app }
spec:
  labels: { app: ${name}${labels} }
  command: [node, ${program}]
  env: { NAME: ${name} }
  replicas: ${replicas}
`;

const service = (name: string, port = "{ name: http, port: 80, targetPort: 8080 }"): string => `
---
apiVersion: v1
kind: Service
metadata: { name: ${name}, namespace: app }
spec: { selector: { app: ${name} }, ports: [${port}] }
`;

const limited = `
---
apiVersion: networking.istio.io/v1
kind: Sidecar
metadata: { name: limited, namespace: app }
spec:
  workloadSelector: { labels: { app: limited } }
  inboundConnectionPool: { tcp: { maxConnections: 1 }, http: { http1MaxPendingRequests: 1 } }
`;

const database = `
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: { name: db, namespace: app }
spec:
  selector: { istio: ingressgateway }
  servers: [{ port: { number: 5432, name: tcp, protocol: TCP }, hosts: ["*"] }]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: db, namespace: app }
spec:
  hosts: ["*"]
  gateways: [db]
  tcp: [{ route: [{ destination: { host: db } }] }]
`;

const mesh = `
apiVersion: v1
kind: Namespace
metadata: { name: app, labels: { istio-injection: enabled } }
${workload("web")}${service("web")}
${workload("limited")}${service("limited")}${limited}
${workload("plain", { labels: ', sidecar.istio.io/inject: "false"' })}${service("plain")}
${workload("db", { program: "db.js" })}${service("db", "{ name: tcp, port: 5432 }")}${database}
${workload("rpc", { program: "rpc.js" })}${service("rpc", "{ name: grpc, port: 80 }")}
${workload("sockets")}${service("sockets")}
${workload("client")}
`;

/** Answers with what it got; `/slow` after a while, `/crash` never. */
const app = `
import { createServer } from "node:http";
createServer((request, response) => {
  if (request.url === "/crash") return void process.exit(1);
  const answer = () => response.writeHead(request.url === "/500" ? 500 : 200).end(
    JSON.stringify({ name: process.env.NAME, pid: process.pid, headers: request.headers }),
  );
  if (request.url === "/slow") setTimeout(answer, 1000);
  else answer();
}).on("upgrade", (request, socket) => {
  socket.write("HTTP/1.1 101 Switching Protocols\\r\\nupgrade: websocket\\r\\nconnection: upgrade\\r\\n\\r\\n");
  socket.pipe(socket);
}).listen(Number(process.env.PORT), "127.0.0.1");
`;

const rpc = `
import { createServer } from "node:http2";
createServer((request, response) => response.end(request.httpVersion)).listen(Number(process.env.PORT), "127.0.0.1");
`;

const db = `
import { createServer } from "node:net";
createServer((socket) => socket.pipe(socket)).listen(Number(process.env.PORT), "127.0.0.1");
`;

interface Answer {
  readonly status: number;
  readonly body: string;
}

async function statusOf(sandbox: Sandbox): Promise<Status> {
  return (await sandbox.api()).status();
}

/** Where the workload `app/client` sends its requests. */
async function clientProxy(sandbox: Sandbox): Promise<{ readonly host: string; readonly port: number }> {
  const { callers } = await statusOf(sandbox);
  const proxy = callers.find((caller) => caller.workload === "app/client")?.proxy ?? "";
  const [host = "", port = ""] = proxy.split(":");
  return { host, port: Number(port) };
}

/** Sends requests as the workload `app/client` does. */
async function asClient(sandbox: Sandbox): Promise<(url: string) => Promise<Answer>> {
  const { host, port } = await clientProxy(sandbox);
  return async (url) =>
    await new Promise((resolve, reject) => {
      const sent = request({ host, port, path: url, headers: { host: new URL(url).host }, agent: false });
      sent.on("error", reject);
      sent.on("response", (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("error", reject);
        response.on("end", () => resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString() }));
      });
      sent.end();
    });
}

async function inboundOf(
  sandbox: Sandbox,
  name: string,
  isEnough: (port: InboundStatus) => boolean,
): Promise<InboundStatus> {
  return await eventually(`the inbound counts of ${name}`, async () => {
    const { inbound } = await statusOf(sandbox);
    return inbound.find((port) => port.workload === name && isEnough(port));
  });
}

function sandboxOf(text = mesh): Sandbox {
  return new Sandbox({
    "mesh.yaml": text,
    "app.js": app,
    "db.js": db,
    "rpc.js": rpc,
  });
}

describe("one mesh, each test with workloads of its own", () => {
  let sandbox: Sandbox;
  let databasePort: number;

  beforeAll(async () => {
    sandbox = sandboxOf();
    databasePort = await freePort();
    // Each worker of Envoy is granted a connection, so that the limit of one is exact with one worker alone.
    await sandbox.up({ args: ["--gateway-port", `5432=${databasePort}`, "--concurrency", "1"] });
  });

  afterAll(async () => {
    await sandbox[Symbol.asyncDispose]();
  });

  test("requests are counted before the workload, and the workload sees who asked and no more than in Istio", async () => {
    const ask = await asClient(sandbox);
    for (const path of ["", "", "500"]) await ask(`http://web/${path}`);
    const counted = await inboundOf(sandbox, "app/web", ({ requests, latency }) => requests >= 3 && latency !== null);
    expect(counted).toMatchObject({ port: 8080, replica: 0, protocol: "http", requests: 3, errors: 1, refused: 0 });
    expect(counted.byClass).toEqual({ "1xx": 0, "2xx": 2, "3xx": 0, "4xx": 0, "5xx": 1 });
    expect(counted.latency?.p99Ms).toBeGreaterThanOrEqual(0);
    expect((await sandbox.cli(["status"])).stdout).toMatch(/app\/web replica 0\s+8080\s+3 requests\s+2\s+0\s+1/);

    const { headers } = JSON.parse((await ask("http://web/")).body) as { headers: Record<string, string> };
    expect(headers).toMatchObject({ host: "web", "x-forwarded-proto": "http", "x-envoy-attempt-count": "1" });
    expect(headers["x-request-id"]).toMatch(/^[0-9a-f-]{36}$/);
    expect(headers).not.toHaveProperty("x-envoy-expected-rq-timeout-ms");

    const plain = await ask("http://plain/");
    expect(plain.status).toBe(200);
    expect((await statusOf(sandbox)).inbound.map((port) => port.workload)).not.toContain("app/plain");
  });

  test("the pool of a Sidecar turns requests away before its workload, with 503 and the flag UO of that side", async () => {
    const ask = await asClient(sandbox);
    // A request that waits for the connection to come about would be the one that may wait.
    expect((await ask("http://limited/")).status).toBe(200);
    const answers = await Promise.all(Array.from({ length: 6 }, () => ask("http://limited/slow")));
    const statuses = answers.map(({ status }) => status).toSorted((left, right) => left - right);
    expect(statuses).toEqual([200, 200, 503, 503, 503, 503]);
    const counted = await inboundOf(sandbox, "app/limited", ({ requests }) => requests >= 7);
    expect(counted).toMatchObject({ requests: 7, errors: 4, refused: 4 });

    const other = await Promise.all(Array.from({ length: 6 }, () => ask("http://sockets/slow")));
    expect(other.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200, 200]);
  });

  test("a port of bytes passes them on by the workload's sidecar, and explain says the way", async () => {
    const echoed = await new Promise<string>((resolve, reject) => {
      const socket = connect({ host: "127.0.0.1", port: databasePort }, () => socket.write("select 1"));
      socket.once("data", (chunk: Buffer) => {
        resolve(chunk.toString());
        socket.destroy();
      });
      socket.on("error", reject);
    });
    expect(echoed).toBe("select 1");
    const counted = await inboundOf(sandbox, "app/db", ({ connections }) => connections > 0);
    expect(counted).toMatchObject({ port: 5432, protocol: "tcp", connections: 1, requests: 0 });

    const explain = async (host: string): Promise<readonly { listener: string; cluster: string }[]> => {
      const from = ["--from", "app/client", "--json"];
      const { stdout } = await sandbox.cli(["explain", sandbox.manifests, "--url", `http://${host}/`, ...from]);
      return (JSON.parse(stdout) as { inbound: { listener: string; cluster: string }[] }).inbound;
    };
    expect(await explain("limited")).toMatchObject([
      {
        listener: "inbound|8080|app/limited#0",
        cluster: "inbound|8080||app/limited#0",
        policy: { maxConnections: 1, maxPendingRequests: 1 },
      },
    ]);
    expect(await explain("plain")).toEqual([]);
  });

  test("HTTP/2 and upgraded connections get through to the workload", async () => {
    const ask = await asClient(sandbox);
    expect(await ask("http://rpc/")).toEqual({ status: 200, body: "2.0" });

    const { host, port } = await clientProxy(sandbox);
    const echoed = await new Promise<string>((resolve, reject) => {
      const headers = { host: "sockets", connection: "Upgrade", upgrade: "websocket", "sec-websocket-version": "13" };
      const sent = request({ host, port, path: "http://sockets/", headers, agent: false });
      sent.on("error", reject);
      sent.on("response", ({ statusCode }) => reject(new Error(`answered ${statusCode ?? 0}`)));
      sent.on("upgrade", (_, socket) => {
        socket.once("data", (chunk: Buffer) => {
          resolve(chunk.toString());
          socket.destroy();
        });
        socket.on("error", reject);
        socket.write("hello");
      });
      sent.end();
    });
    expect(echoed).toBe("hello");
  });
});

test("a workload that ends is 503 UF of its own side, comes back under its name, and gets more replicas", async () => {
  await using sandbox = sandboxOf();
  const args = ["--gateway-port", `5432=${await freePort()}`];
  const up = await sandbox.up({ args });
  const ask = await asClient(sandbox);
  const before = JSON.parse((await ask("http://web/")).body) as { pid: number };
  expect((await ask("http://web/crash")).status).toBe(503);
  const after = await eventually("the workload to be back", async () => {
    const { status, body } = await ask("http://web/");
    return status === 200 ? (JSON.parse(body) as { pid: number }) : undefined;
  });
  expect(after.pid).not.toBe(before.pid);

  sandbox.write("mesh.yaml", mesh.replace(workload("web"), workload("web", { replicas: 2 })));
  await eventually("both replicas to be reached", async () => {
    const pids = new Set<number>();
    for (let round = 0; round < 20; round += 1) {
      const { status, body } = await ask("http://web/");
      expect(status).toBe(200);
      pids.add((JSON.parse(body) as { pid: number }).pid);
    }
    return pids.size === 2 ? pids : undefined;
  });

  await up.kill();
  expect((await ask("http://web/")).status).toBe(200);
  await sandbox.up({ args });
  expect((await ask("http://web/")).status).toBe(200);
  const counted = await inboundOf(sandbox, "app/web", ({ replica, requests }) => replica === 1 && requests > 0);
  expect(counted.errors).toBe(0);
});

/** Asks for the service `web` without a pause while each text in turn is saved and becomes live. */
async function askWhileSaving(
  sandbox: Sandbox,
  changes: readonly { readonly text: string; readonly isLive: (status: Status) => boolean }[],
): Promise<readonly number[]> {
  const ask = await asClient(sandbox);
  const statuses: number[] = [];
  const over = new AbortController();
  const load = Array.from({ length: 4 }, async () => {
    while (!over.signal.aborted) statuses.push((await ask("http://web/")).status);
  });
  for (const { text, isLive } of changes) {
    sandbox.write("mesh.yaml", text);
    await eventually("the change to be live", async () => (isLive(await statusOf(sandbox)) ? true : undefined));
  }
  over.abort();
  await Promise.all(load);
  expect(statuses.length).toBeGreaterThan(20);
  return statuses;
}

const hasInbound = (name: string, { inbound }: Status): boolean => inbound.some(({ workload: each }) => each === name);

test("a sidecar that is taken away or given while requests come in loses none", async () => {
  await using sandbox = sandboxOf();
  await sandbox.up({ args: ["--gateway-port", `5432=${await freePort()}`] });
  const without = mesh.replace(workload("web"), workload("web", { labels: ', sidecar.istio.io/inject: "false"' }));
  const taken = { text: without, isLive: (status: Status) => !hasInbound("app/web", status) };
  const given = { text: mesh, isLive: (status: Status) => hasInbound("app/web", status) };
  const statuses = await askWhileSaving(sandbox, [taken, given, taken, given]);
  expect(statuses.filter((status) => status !== 200)).toEqual([]);
});

test("a workload that comes and goes together with the rule that leads to it loses no request", async () => {
  const rule = `
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: web, namespace: app }
spec: { hosts: [web], http: [{ route: [{ destination: { host: guest } }] }] }
`;
  const withGuest = `${mesh}${workload("guest")}${service("guest")}${rule}`;
  await using sandbox = sandboxOf(withGuest);
  await sandbox.up({ args: ["--gateway-port", `5432=${await freePort()}`] });
  const gone = { text: mesh, isLive: (status: Status) => !hasInbound("app/guest", status) };
  const back = { text: withGuest, isLive: (status: Status) => hasInbound("app/guest", status) };
  const statuses = await askWhileSaving(sandbox, [gone, back, gone, back]);
  expect(statuses.filter((status) => status !== 200)).toEqual([]);
});
