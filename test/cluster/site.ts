import { once } from "node:events";
import { type IncomingMessage, request } from "node:http";
import { setTimeout as delay } from "node:timers/promises";
import { bin, type CliResult, type RunningUp, Sandbox } from "../e2e/product.ts";
import { epochNowMs } from "../load/load-clock.ts";
import type { LoadRecord } from "../load/load-records.ts";
import { isFailed } from "../load/load-summary.ts";
import { type RunningLoad, startLoad } from "../load/start-load.ts";
import type { Cluster } from "./cluster.ts";
import type { IstioProxy } from "./istio-proxy.ts";
import type { Istiod } from "./istiod.ts";
import type { KubeUser } from "./kube-api-server.ts";
import { type AppShape, buildApp, buildGatewayService, publicHostOf, type SiteEndpoint } from "./site-objects.ts";
import { startEchoApp } from "./start-echo-app.ts";

export interface SiteOptions {
  readonly cluster: Cluster;
  /** The file's own; its gateways are labelled `istio: NAMESPACE`. */
  readonly namespace: string;
  /** The first of them has all requests at first. */
  readonly versions?: readonly string[];
  readonly gateways?: number;
  /** How many endpoints each version has. */
  readonly replicas?: number;
  readonly registry?: AppShape["registry"];
  /** True where nothing else is said. */
  readonly hasPreview?: boolean;
  /** An app that runs already, one endpoint for each version; it says its version in `x-color`. */
  readonly endpoints?: readonly SiteEndpoint[];
}

/** A gateway that clients can ask. */
export interface SiteGateway {
  readonly name: string;
  /** Of its pod. */
  readonly address: string;
  readonly port: number;
  readonly proxy: IstioProxy;
}

/** What clients saw of a move. */
export interface SiteView {
  readonly requests: number;
  readonly failed: number;
  /** Requests that began after `doneMs` and were answered by another version than `now`. */
  readonly oldAfterDone: number;
  readonly byVersion: Readonly<Record<string, number>>;
}

/** An app with its gateways in a namespace of a cluster, and kirikae as a process beside it. */
export class Site implements AsyncDisposable {
  readonly cluster: Cluster;
  readonly namespace: string;
  readonly shape: AppShape;
  readonly gateways: SiteGateway[] = [];
  readonly #sandbox = new Sandbox({});
  readonly #stack: AsyncDisposableStack;

  private constructor(cluster: Cluster, shape: AppShape, stack: AsyncDisposableStack) {
    this.cluster = cluster;
    this.namespace = shape.namespace;
    this.shape = shape;
    this.#stack = stack;
  }

  /** Returns when every gateway answers with the first version. */
  static async start(options: SiteOptions): Promise<Site> {
    const { cluster, namespace, versions = ["blue", "green"], registry = "serviceEntry" } = options;
    await using stack = new AsyncDisposableStack();
    const endpoints = options.endpoints ?? (await placeEndpoints(options, versions));
    if (options.endpoints === undefined) stack.use(await startEchoApp(endpoints, cluster.place));
    const shape: AppShape = { namespace, versions, endpoints, registry, hasPreview: options.hasPreview ?? true };
    await cluster.client.apply({ apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } });
    if (registry === "service") await addPods(cluster, shape);
    for (const object of buildApp(shape)) await cluster.client.apply(object);
    const site = new Site(cluster, shape, stack.move());
    try {
      for (let count = 1; count <= (options.gateways ?? 1); count += 1) await site.addGateway(`gateway-${count}`);
    } catch (error) {
      await site[Symbol.asyncDispose]();
      throw error;
    }
    return site;
  }

  /** The same site as somebody else has it: with a state folder of their own. It takes nothing down. */
  static beside(site: Site): Pick<Site, "kirikae" | "up" | "sandbox"> & AsyncDisposable {
    const other = new Site(site.cluster, site.shape, new AsyncDisposableStack());
    return {
      kirikae: (args, user) => other.kirikae(args, user),
      up: (user, args) => other.up(user, args),
      sandbox: other.sandbox,
      [Symbol.asyncDispose]: () => other.sandbox[Symbol.asyncDispose](),
    };
  }

  /** A gateway pod of its own Service; it has its routes when this returns. */
  async addGateway(name: string, istiod: Istiod = this.cluster.istiod): Promise<SiteGateway> {
    const { cluster, namespace } = this;
    const { pods } = cluster;
    if (pods === undefined) throw new Error("this cluster has no pods");
    const port = await cluster.ports.take();
    await cluster.client.apply(buildGatewayService(namespace, name, port));
    const labels = { istio: namespace, "kirikae.test/gateway": name };
    const address = cluster.place.takeAddress();
    await pods.add({ namespace, name, labels, address });
    const proxy = await cluster.startProxy(
      { role: "router", name, namespace, labels, address, podAddress: address },
      istiod,
    );
    this.#stack.use(proxy);
    const gateway = { name, address, port, proxy };
    await this.whenAnswered(gateway, (version) => version !== undefined);
    this.gateways.push(gateway);
    return gateway;
  }

  /** Ends a gateway with its pod. */
  async removeGateway({ name, proxy }: SiteGateway): Promise<void> {
    await proxy[Symbol.asyncDispose]();
    await this.cluster.pods?.remove(this.namespace, name);
    const index = this.gateways.findIndex((each) => each.name === name);
    if (index !== -1) this.gateways.splice(index, 1);
  }

  /** Waits until a gateway answers with such a version; undefined is no answer of the app. */
  async whenAnswered(gateway: SiteGateway, isWanted: (version: string | undefined) => boolean): Promise<void> {
    const deadlineMs = performance.now() + 30_000;
    for (;;) {
      const seen = await this.ask(gateway);
      if (isWanted(seen)) return;
      if (performance.now() > deadlineMs) throw new Error(`${gateway.name} answers with ${seen ?? "no version"}`);
      await delay(20);
    }
  }

  /** Which version answers one request; undefined where none does. */
  async ask(
    { address, port }: SiteGateway,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<string | undefined> {
    const sent = request({
      host: address,
      port,
      timeout: 2_000,
      agent: false,
      headers: { ...headers, host: publicHostOf(this.namespace) },
    });
    sent.on("timeout", () => sent.destroy(new Error("no answer")));
    sent.end();
    try {
      const [response] = (await once(sent, "response")) as [IncomingMessage];
      response.resume();
      return response.statusCode === 200 ? String(response.headers["x-color"]) : undefined;
    } catch {
      // A gateway without the listener refuses the connection.
      return undefined;
    }
  }

  /** How many requests a version has had, copies among them. */
  async countRequests(version: string): Promise<number> {
    const own = this.shape.endpoints.filter((endpoint) => endpoint.version === version);
    const counts = await Promise.all(
      own.map(async ({ address, port }) => Number(await (await fetch(`http://${address}:${port}/count`)).text())),
    );
    return counts.reduce((sum, count) => sum + count, 0);
  }

  /** Load on every gateway, over keep-alive connections, until it is stopped. */
  async startLoad(options: SiteLoadOptions = {}): Promise<SiteLoad> {
    const { requestsPerSecond = 500, headers = {} } = options;
    const loads = await Promise.all(
      this.gateways.map(({ port }) =>
        startLoad({
          address: `127.0.0.1:${port}`,
          enter: this.cluster.place.enter,
          requests: [{ host: publicHostOf(this.namespace), headers }],
          requestsPerSecond: requestsPerSecond / this.gateways.length,
          connections: options.connections ?? 32,
          durationMs: options.atMostMs ?? 120_000,
          // A gateway that a test has paused answers when it goes on.
          requestTimeoutMs: 60_000,
        }),
      ),
    );
    return new SiteLoad(loads);
  }

  /** Runs one command of the product to its end, as a user of the cluster. */
  async kirikae(args: readonly string[], user: KubeUser = "admin"): Promise<CliResult & { readonly endMs: number }> {
    const result = await this.#sandbox.cli(["--context", user, ...args], this.#environment);
    return { ...result, endMs: epochNowMs() };
  }

  /** Starts `kirikae up --context` and waits until it is ready; commands go to it while it runs. */
  async up(user: KubeUser = "admin", args: readonly string[] = []): Promise<RunningUp> {
    const up = this.#sandbox.start([bin, "up", "--context", user, "--json", ...args], this.#environment);
    await up.ready;
    return up;
  }

  /** For other ways to run the product: the same state folder and kubeconfig. */
  get sandbox(): Sandbox {
    return this.#sandbox;
  }

  get environment(): NodeJS.ProcessEnv {
    return { ...this.#sandbox.environment, ...this.#environment };
  }

  get #environment(): NodeJS.ProcessEnv {
    return { KUBECONFIG: this.cluster.api.kubeconfig };
  }

  /** The namespace goes with all that is in it, one kind at a time, because no controller does it. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#sandbox[Symbol.asyncDispose]();
    for (const gateway of this.gateways.toReversed()) await this.removeGateway(gateway);
    for (const object of buildApp(this.shape)) await this.cluster.client.deleteIfThere(object);
    await this.#stack.disposeAsync();
  }
}

export interface SiteLoadOptions {
  /** Over all gateways. */
  readonly requestsPerSecond?: number;
  /** To each gateway. */
  readonly connections?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly atMostMs?: number;
}

export class SiteLoad implements AsyncDisposable {
  readonly #loads: readonly RunningLoad[];

  constructor(loads: readonly RunningLoad[]) {
    this.#loads = loads;
  }

  /** Ends it and waits for the answers that are still to come. */
  async stop(): Promise<readonly LoadRecord[]> {
    const results = await Promise.all(this.#loads.map((load) => load.stop()));
    return results.flatMap(({ records }) => records);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const load of this.#loads) await load[Symbol.asyncDispose]();
  }
}

/** What clients saw, where from `doneMs` on (milliseconds since the epoch) only `now` may answer. */
export function viewRecords(
  records: readonly LoadRecord[],
  done?: { readonly doneMs: number; readonly now: string },
): SiteView {
  const byVersion: Record<string, number> = {};
  for (const { version = "none" } of records) byVersion[version] = (byVersion[version] ?? 0) + 1;
  const after = done === undefined ? [] : records.filter(({ sentMs }) => sentMs > done.doneMs);
  return {
    requests: records.length,
    failed: records.filter((record) => isFailed(record) || record.version === undefined).length,
    oldAfterDone: after.filter(({ version }) => version !== done?.now).length,
    byVersion,
  };
}

async function placeEndpoints(
  { cluster, registry, replicas = 1 }: SiteOptions,
  versions: readonly string[],
): Promise<readonly SiteEndpoint[]> {
  const endpoints: SiteEndpoint[] = [];
  for (const version of versions) {
    for (let count = 0; count < replicas; count += 1) {
      const address = cluster.place.takeAddress();
      const port = registry === "service" ? 8080 : await cluster.ports.take();
      endpoints.push({ version, address, port });
    }
  }
  return endpoints;
}

async function addPods({ pods }: Cluster, { namespace, endpoints }: AppShape): Promise<void> {
  for (const [index, { version, address }] of endpoints.entries()) {
    const labels = { app: "app", version };
    await pods?.add({ namespace, name: `app-${version}-${index}`, labels, address });
  }
}
