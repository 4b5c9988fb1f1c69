import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { connectApi } from "../../src/api/client.ts";
import type { ReleaseStatus } from "../../src/api/types.ts";
import { siteEnvironment } from "../../src/app/site/site-state.ts";
import { lastingPorts } from "../lasting-ports.fixture.ts";
import { locateStateFolder } from "../../src/local/state-folder.ts";
import { bin, type CliResult, type RunningUp, Sandbox } from "../e2e/product.ts";
import { epochNowMs } from "../load/load-clock.ts";
import type { LoadRecord } from "../load/load-records.ts";
import { Cluster, type ClusterOptions } from "./cluster.ts";
import type { KubeUser } from "./kube-api-server.ts";
import { loopbackPlace } from "./network-place.ts";
import { Site, type SiteLoad, viewRecords } from "./site.ts";
import { buildDestinationRule, buildVirtualService } from "./site-objects.ts";

/** A context of the one kubeconfig: which cluster it is of, and as whom. `limited` is the second one without its admin. */
const contexts = {
  east: { cluster: "east", user: "admin" },
  west: { cluster: "west", user: "admin" },
  limited: { cluster: "west", user: "releaser" },
} as const satisfies Readonly<Record<string, { readonly cluster: "east" | "west"; readonly user: KubeUser }>>;

export type SiteContext = keyof typeof contexts;

interface TwoParts {
  readonly east: Site;
  readonly west: Site;
  readonly sandbox: Sandbox;
  readonly kubeconfig: string;
}

/** The same app in two clusters, and one kubeconfig that leads to both. */
export class TwoSites implements AsyncDisposable {
  readonly east: Site;
  readonly west: Site;
  readonly sandbox: Sandbox;
  readonly #kubeconfig: string;
  readonly #stack: AsyncDisposableStack;

  private constructor({ east, west, sandbox, kubeconfig }: TwoParts, stack: AsyncDisposableStack) {
    this.east = east;
    this.west = west;
    this.sandbox = sandbox;
    this.#kubeconfig = kubeconfig;
    this.#stack = stack;
  }

  static async start(options: Omit<ClusterOptions, "ports" | "place">, namespace: string): Promise<TwoSites> {
    await using stack = new AsyncDisposableStack();
    const shared = { ...options, ports: lastingPorts(), place: loopbackPlace() };
    const start = async (): Promise<Site> => {
      const cluster = stack.use(await Cluster.start(shared));
      return stack.use(await Site.start({ cluster, namespace, hasPreview: false }));
    };
    const east = await start();
    const west = await start();
    const sandbox = stack.use(new Sandbox({}));
    const kubeconfig = join(sandbox.root, "kubeconfig.json");
    await writeFile(kubeconfig, JSON.stringify(await mergeKubeconfigs({ east, west })), { mode: 0o600 });
    return new TwoSites({ east, west, sandbox, kubeconfig }, stack.move());
  }

  get sites(): readonly [Site, Site] {
    return [this.east, this.west];
  }

  /** Everything as the team has written it, and nobody owns any of it. */
  async reset(): Promise<void> {
    for (const { cluster, shape } of this.sites) {
      await cluster.restore();
      await cluster.client.apply(buildDestinationRule(shape));
      await cluster.client.deleteIfThere(buildVirtualService(shape));
      await cluster.client.create(buildVirtualService(shape));
    }
    await this.whenAnswered("blue");
  }

  /** Waits until every gateway of both answers with this version. */
  async whenAnswered(wanted: string): Promise<void> {
    for (const site of this.sites) {
      for (const gateway of site.gateways) await site.whenAnswered(gateway, (version) => version === wanted);
    }
  }

  /** Runs one command on both to its end. */
  async kirikae(
    args: readonly string[],
    used: readonly SiteContext[] = ["east", "west"],
  ): Promise<CliResult & { readonly endMs: number }> {
    const result = await this.sandbox.cli([...contextArgs(used), ...args], this.#environment);
    return { ...result, endMs: epochNowMs() };
  }

  async up(used: readonly SiteContext[] = ["east", "west"]): Promise<TwoSitesUp> {
    const up = this.sandbox.start([bin, "up", ...contextArgs(used), "--json"], this.#environment);
    await up.ready;
    return new TwoSitesUp(this, up, used);
  }

  /** A Release of the app in both; `spec` is the rest of it, in YAML. @returns the file's path */
  async write(name: string, spec: string, used: readonly SiteContext[] = ["east", "west"]): Promise<string> {
    const head = ["apiVersion: kirikae.dev/v1alpha1", "kind: Release"];
    const metadata = `metadata: { name: ${name}, namespace: ${this.east.namespace} }`;
    const sites = spec.includes("sites:") ? [] : [`sites: { contexts: [${used.join(", ")}], order: together }`];
    const lines = ["routes: [{ virtualService: app }]", ...sites, ...spec.split("\n")].map((line) => `  ${line}`);
    const file = join(this.sandbox.root, `${name}.yaml`);
    await writeFile(file, [...head, metadata, "spec:", ...lines, ""].join("\n"));
    return file;
  }

  /** On every gateway of both. */
  async startLoad(): Promise<TwoLoads> {
    const options = { requestsPerSecond: 150, connections: 8 };
    const [east, west] = await Promise.all([this.east.startLoad(options), this.west.startLoad(options)]);
    return new TwoLoads(east, west);
  }

  /** The environment of everything that moves these clusters together. */
  stateOf(used: readonly SiteContext[]): NodeJS.ProcessEnv {
    return siteEnvironment({ ...this.sandbox.environment, ...this.#environment }, ...used);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }

  get #environment(): NodeJS.ProcessEnv {
    return { KUBECONFIG: this.#kubeconfig };
  }
}

/** `kirikae up --context --context`, and the releases that it runs. */
class TwoSitesUp implements AsyncDisposable {
  readonly #two: TwoSites;
  readonly #up: RunningUp;
  readonly #contexts: readonly SiteContext[];

  constructor(two: TwoSites, up: RunningUp, used: readonly SiteContext[]) {
    this.#two = two;
    this.#up = up;
    this.#contexts = used;
  }

  /** Ends the process as a power cut does. */
  async kill(): Promise<void> {
    await this.#up.kill();
  }

  /** Starts a Release, as `TwoSites.write` takes it. */
  async start(name: string, spec: string): Promise<void> {
    const file = await this.#two.write(name, spec, this.#contexts);
    await this.tell("start", file);
  }

  /** Runs an order to its end. */
  async tell(...args: readonly string[]): Promise<void> {
    const { exitCode, stderr } = await this.#two.kirikae(args, this.#contexts);
    if (exitCode !== 0) throw new Error(`kirikae ${args.join(" ")} ended with ${exitCode}: ${stderr}`);
  }

  async status(name: string): Promise<ReleaseStatus> {
    const { token: tokenFile, apiAddress: addressFile } = locateStateFolder(this.#two.stateOf(this.#contexts));
    const api = await connectApi({ tokenFile, addressFile });
    return await api.release(`${this.#two.east.namespace}/${name}`);
  }

  /** Waits for one of these phases; a release that has failed where that was not asked for is an error. */
  async whenPhase(name: string, ...phases: readonly ReleaseStatus["phase"][]): Promise<ReleaseStatus> {
    const deadlineMs = performance.now() + 60_000;
    for (;;) {
      const status = await this.status(name);
      if (phases.includes(status.phase)) return status;
      if (status.phase === "failed" || performance.now() > deadlineMs) {
        throw new Error(`${name} is ${status.phase}: ${JSON.stringify(status.events.slice(-3))}\n${this.#up.stderr}`);
      }
      await delay(50);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#up.stop();
  }
}

/** What clients of both see. */
class TwoLoads implements AsyncDisposable {
  readonly #east: SiteLoad;
  readonly #west: SiteLoad;

  constructor(east: SiteLoad, west: SiteLoad) {
    this.#east = east;
    this.#west = west;
  }

  /** Ends it; from `doneMs` on only `now` may answer. */
  async view(done?: { readonly doneMs: number; readonly now: string }) {
    const [east, west] = await Promise.all([this.#east.stop(), this.#west.stop()]);
    const read = (records: readonly LoadRecord[]) => viewRecords(records, done);
    return { east: read(east), west: read(west) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#east[Symbol.asyncDispose]();
    await this.#west[Symbol.asyncDispose]();
  }
}

function contextArgs(used: readonly SiteContext[]): readonly string[] {
  return used.flatMap((context) => ["--context", context]);
}

interface ClusterConfig {
  readonly clusters: readonly { readonly cluster: object }[];
  readonly users: readonly { readonly name: string; readonly user: object }[];
}

/** One file; clusters have the names of their sites, and users those of their cluster in front. */
async function mergeKubeconfigs(sites: Readonly<Record<"east" | "west", Site>>): Promise<object> {
  const read = async (site: "east" | "west") => ({
    site,
    config: JSON.parse(await readFile(sites[site].cluster.api.kubeconfig, "utf8")) as ClusterConfig,
  });
  const files = [await read("east"), await read("west")];
  return {
    apiVersion: "v1",
    kind: "Config",
    "current-context": "east",
    contexts: Object.entries(contexts).map(([name, { cluster, user }]) => ({
      name,
      context: { cluster, user: `${cluster}-${user}` },
    })),
    clusters: files.map(({ site, config }) => ({ name: site, cluster: config.clusters[0]?.cluster })),
    users: files.flatMap(({ site, config }) =>
      config.users.map(({ name, user }) => ({ name: `${site}-${name}`, user })),
    ),
  };
}
