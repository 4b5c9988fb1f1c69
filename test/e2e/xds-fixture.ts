import { gatewayTable } from "../gateway-table.fixture.ts";
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer, request, Agent, type Server } from "node:http";
import { createServer as createTcpServer, type Server as TcpServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { emitBootstrapJson } from "../../src/core/envoy/bootstrap.ts";
import type {
  Arm,
  Destination,
  HeaderMutation,
  Route,
  RouteTable,
  VirtualHost,
} from "../../src/core/routes/route-table.ts";
import { findEnvoy } from "../../src/local/envoy-binary.ts";
import { EnvoyAdmin } from "../../src/targets/local-envoy/admin.ts";
import { LocalEnvoyTarget, type LocalEnvoyOptions } from "../../src/targets/local-envoy/local-envoy-target.ts";
import type { LocalProxy } from "../../src/targets/local-envoy/local-proxy.ts";

const none: HeaderMutation = { set: [], add: [], remove: [] };
const at = { file: "test.yaml", line: 1, column: 1 };

/** A backend that answers with its name, `app` itself and the chosen status after an optional pause. */
export interface Backend extends AsyncDisposable {
  readonly name: string;
  readonly port: number;
}

export async function startBackend(name: string): Promise<Backend> {
  const server: Server = createServer((incoming, response) => {
    const url = new URL(incoming.url ?? "/", "http://backend");
    const status = Number(url.searchParams.get("status") ?? 200);
    setTimeout(() => response.writeHead(status).end(name), Number(url.searchParams.get("delay") ?? 0));
  });
  server.keepAliveTimeout = 120_000;
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    name,
    port: portOf(server),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

export function destinationId(subset: string): string {
  return `outbound|80|${subset}|app.test.svc.cluster.local`;
}

export function buildDestination(subset: string, ports: readonly number[]): Destination {
  return {
    id: destinationId(subset),
    host: "app.test.svc.cluster.local",
    subset,
    port: 80,
    protocol: "http",
    resolution: "static",
    endpoints: ports.map((port) => ({ kind: "address", address: "127.0.0.1", port, weight: 1 })),
    policy: {
      loadBalancer: { kind: "leastRequest" },
      connectTimeoutMs: 10_000,
      maxConnections: undefined,
      maxPendingRequests: undefined,
      maxRequests: undefined,
      maxRetries: undefined,
      maxRequestsPerConnection: undefined,
      maxConcurrentStreams: undefined,
      maxConnectionDurationMs: undefined,
      idleTimeoutMs: undefined,
      usesClientProtocol: false,
      outlierDetection: undefined,
    },
  };
}

export interface TableShape {
  /** Subsets with their backends' ports. */
  readonly versions: Readonly<Record<string, readonly number[]>>;
  /** Weights of the public route, by subset. */
  readonly weights: Readonly<Record<string, number>>;
  /** Virtual hosts beside `app.test`. */
  readonly others?: number;
  /** Routes ahead of the public one. */
  readonly routesBefore?: readonly Route[];
}

export const splitId = "test/app/public";

/** A table for one host, `app.test`, on port 80, and as many other hosts as asked for. */
export function buildTable(shape: TableShape): RouteTable {
  const destinations = Object.entries(shape.versions).map(([subset, ports]) => buildDestination(subset, ports));
  const others = Array.from({ length: shape.others ?? 0 }, (_, index) => buildOther(index, shape));
  return gatewayTable({
    destinations: new Map(destinations.map((destination) => [destination.id, destination])),
    servers: [{ gateway: "test/gateway", server: "http", hosts: ["*"], at }],
    virtualHosts: [
      {
        domain: "app.test",
        requiresHttps: false,
        routes: [...(shape.routesBefore ?? []), buildRoute(splitId, shape.weights)],
      },
      ...others,
    ],
  });
}

function buildOther(index: number, shape: TableShape): VirtualHost {
  const subset = Object.keys(shape.versions)[0] ?? "";
  return {
    domain: `app-${index}.test`,
    requiresHttps: false,
    routes: Array.from({ length: 4 }, (_, route) => ({
      ...buildRoute(`test/app-${index}/${route}`, { ...shape.weights, [subset]: 100 }),
      match: {
        path: { kind: "prefix", value: route === 3 ? "/" : `/part-${route}`, ignoreCase: false },
        headers: [],
        query: [],
      },
    })),
  };
}

export function buildRoute(id: string, weights: Readonly<Record<string, number>>): Route {
  const arms = Object.entries(weights).map(([subset, weight]): Arm => ({
    destination: destinationId(subset),
    weight,
    isDeclared: true,
    requestHeaders: none,
    responseHeaders: none,
  }));
  return {
    origin: { virtualService: "test/app", rule: 0, match: undefined, at },
    name: "",
    match: { path: { kind: "prefix", value: "/", ignoreCase: false }, headers: [], query: [] },
    action: {
      kind: "forward",
      split: { id, arms },
      pathRewrite: undefined,
      hostRewrite: undefined,
      timeoutMs: 0,
      retry: undefined,
      mirrors: [],
      requestHeaders: none,
      responseHeaders: none,
    },
  };
}

/** Overrides for the public split. */
export function weights(bySubset: Readonly<Record<string, number>>): ReadonlyMap<string, Record<string, number>> {
  const byDestination: Record<string, number> = {};
  for (const [subset, weight] of Object.entries(bySubset)) byDestination[destinationId(subset)] = weight;
  return new Map([[splitId, byDestination]]);
}

function portOf(server: TcpServer): number {
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the server does not listen on a port");
  return address.port;
}

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createTcpServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const port = portOf(server);
  server.close();
  await once(server, "close");
  return port;
}

/** A folder for sockets, a target, and Envoys that belong to it. */
export class XdsFixture implements AsyncDisposable {
  readonly folder: string;
  readonly port: number;
  readonly proxies: readonly LocalProxy[];
  readonly #envoy: string;
  readonly #processes = new Map<string, ChildProcess>();
  #target: LocalEnvoyTarget | undefined;

  private constructor(folder: string, port: number, options: { envoy: string; nodes: readonly string[] }) {
    this.folder = folder;
    this.port = port;
    this.#envoy = options.envoy;
    this.proxies = options.nodes.map((node) => ({
      node,
      adminSocket: join(folder, `${node}.admin`),
      proofSocket: join(folder, `${node}.proof`),
    }));
  }

  static async open(nodes: readonly string[] = ["envoy-1"]): Promise<XdsFixture> {
    const folder = await mkdtemp(join(tmpdir(), "kirikae-xds-"));
    const { path: envoy } = await findEnvoy({ env: process.env, onProgress: () => undefined });
    return new XdsFixture(folder, await freePort(), { envoy, nodes });
  }

  get xdsSocket(): string {
    return join(this.folder, "xds");
  }

  copiesSocket(node = "envoy-1"): string {
    return join(this.folder, `${node}.copies`);
  }

  get target(): LocalEnvoyTarget {
    if (this.#target === undefined) throw new Error("no target was started");
    return this.#target;
  }

  async startTarget(options: Partial<LocalEnvoyOptions> = {}): Promise<LocalEnvoyTarget> {
    this.#target = await LocalEnvoyTarget.start({
      xdsSocket: this.xdsSocket,
      proxies: this.proxies,
      bind: () => ({ address: "127.0.0.1", port: this.port }),
      endpoints: () => [],
      ...options,
    });
    return this.#target;
  }

  async stopTarget(): Promise<void> {
    await this.#target?.[Symbol.asyncDispose]();
    this.#target = undefined;
  }

  async startEnvoy(node = "envoy-1", options: { concurrency?: number } = {}): Promise<void> {
    const proxy = this.proxy(node);
    const bootstrap = emitBootstrapJson({
      node,
      sockets: {
        xds: this.xdsSocket,
        admin: proxy.adminSocket,
        proof: proxy.proofSocket,
        copies: this.copiesSocket(node),
      },
    });
    const path = join(this.folder, `${node}.json`);
    await writeFile(path, JSON.stringify(bootstrap));
    const args = ["-c", path, "--concurrency", String(options.concurrency ?? 2), "--disable-hot-restart"];
    const log = join(this.folder, `${node}.log`);
    const child = spawn(this.#envoy, [...args, "--log-path", log, "--log-level", "info"], { stdio: "ignore" });
    this.#processes.set(node, child);
  }

  /** Waits until Envoy serves. */
  async whenLive(node = "envoy-1"): Promise<void> {
    const admin = this.admin(node);
    const deadline = performance.now() + 20_000;
    for (;;) {
      const isLive = await admin.get("/ready").then(
        () => true,
        () => false,
      );
      if (isLive) break;
      if (performance.now() > deadline) throw new Error(await this.readLog(node));
      await delay(10);
    }
    admin[Symbol.dispose]();
  }

  async killEnvoy(node = "envoy-1"): Promise<void> {
    const child = this.#processes.get(node);
    if (child === undefined) return;
    this.#processes.delete(node);
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill("SIGKILL");
    await once(child, "exit");
  }

  /** Of the process of an Envoy that runs. */
  pid(node = "envoy-1"): number | undefined {
    return this.#processes.get(node)?.pid;
  }

  signalEnvoy(signal: NodeJS.Signals, node = "envoy-1"): void {
    this.#processes.get(node)?.kill(signal);
  }

  admin(node = "envoy-1"): EnvoyAdmin {
    return new EnvoyAdmin(this.proxy(node).adminSocket);
  }

  readLog(node = "envoy-1"): Promise<string> {
    return readFile(join(this.folder, `${node}.log`), "utf8");
  }

  proxy(node: string): LocalProxy {
    const proxy = this.proxies.find((each) => each.node === node);
    if (proxy === undefined) throw new Error(`no proxy ${node}`);
    return proxy;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const node of this.#processes.keys()) await this.killEnvoy(node);
    await this.stopTarget();
    await rm(this.folder, { recursive: true, force: true });
  }
}

export interface Answer {
  readonly status: number;
  readonly body: string;
  readonly location?: string | undefined;
  readonly startMs: number;
  readonly endMs: number;
}

/** A keep-alive client of the gateway; a request that gets no answer rejects. */
export class GatewayClient implements Disposable {
  readonly #agent: Agent;
  readonly #port: number;

  constructor(port: number, connections: number) {
    this.#port = port;
    this.#agent = new Agent({ keepAlive: true, maxSockets: connections });
  }

  get(path = "/", host = "app.test"): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const startMs = performance.now();
      const sent = request(
        { host: "127.0.0.1", port: this.#port, path, agent: this.#agent, headers: { host } },
        (response) => {
          let body = "";
          response.setEncoding("utf8");
          response.on("data", (text: string) => (body += text));
          response.on("error", reject);
          response.on("end", () =>
            resolve({
              status: response.statusCode ?? 0,
              body,
              location: response.headers.location,
              startMs,
              endMs: performance.now(),
            }),
          );
        },
      );
      sent.on("error", reject);
      sent.end();
    });
  }

  [Symbol.dispose](): void {
    this.#agent.destroy();
  }
}

/** Sends requests on a few connections until it is stopped; every answer is kept. */
export function startLoad(port: number, connections: number, host?: string): { stop(): Promise<readonly Answer[]> } {
  const client = new GatewayClient(port, connections);
  const answers: Answer[] = [];
  const stop = new AbortController();
  const loops = Array.from({ length: connections }, async () => {
    while (!stop.signal.aborted) {
      answers.push(
        await client
          .get("/", host)
          .catch((error: unknown) => ({ status: 0, body: String(error), startMs: 0, endMs: 0 })),
      );
      await delay(1);
    }
  });
  return {
    async stop() {
      stop.abort();
      await Promise.all(loops);
      client[Symbol.dispose]();
      return answers;
    },
  };
}
