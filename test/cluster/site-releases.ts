import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { type ApiClient, connectApi } from "../../src/api/client.ts";
import type { ReleaseStatus } from "../../src/api/types.ts";
import { siteEnvironment } from "../../src/app/site/site-state.ts";
import { locateStateFolder } from "../../src/local/state-folder.ts";
import type { KubeUser } from "./kube-api-server.ts";
import type { Site } from "./site.ts";

/** `kirikae up --context` beside a site, and the releases that it runs. */
export class SiteReleases implements AsyncDisposable {
  readonly #site: Site;
  readonly #user: KubeUser;
  #up: Awaited<ReturnType<Site["up"]>>;

  private constructor(site: Site, up: Awaited<ReturnType<Site["up"]>>, user: KubeUser) {
    this.#site = site;
    this.#up = up;
    this.#user = user;
  }

  /** `args` are more of those of `up`. */
  static async start(site: Site, user: KubeUser = "admin", args: readonly string[] = []): Promise<SiteReleases> {
    return new SiteReleases(site, await site.up(user, args), user);
  }

  /** Ends the process as a power cut does. */
  async kill(): Promise<void> {
    await this.#up.kill();
  }

  /** Lets the next process find what the one before has left. */
  async startAgain(): Promise<void> {
    this.#up = await this.#site.up(this.#user);
  }

  /** Starts a Release of the app to green; `spec` is the rest of it, in YAML. */
  async release(name: string, spec: string, routes = "[{ virtualService: app }]"): Promise<void> {
    const { namespace, sandbox } = this.#site;
    const metadata = `metadata: { name: ${name}, namespace: ${namespace} }`;
    const lines = ["apiVersion: kirikae.dev/v1alpha1", "kind: Release", metadata, "spec:", "  to: green"];
    const rest = [`routes: ${routes}`, ...spec.split("\n")].map((line) => `  ${line}`);
    const file = join(sandbox.root, `${name}.yaml`);
    await writeFile(file, `${[...lines, ...rest].join("\n")}\n`);
    await this.tell("start", file);
  }

  /** Runs an order to its end. */
  async tell(...args: readonly string[]): Promise<void> {
    const { exitCode, stderr } = await this.#site.kirikae(args, this.#user);
    if (exitCode !== 0) throw new Error(`kirikae ${args.join(" ")} ended with ${exitCode}: ${stderr}`);
  }

  /** Of the process that runs. */
  get pid(): number {
    return this.#up.pid;
  }

  async status(name: string): Promise<ReleaseStatus> {
    const api = await this.api();
    return api.release(`${this.#site.namespace}/${name}`);
  }

  /** The API of the process that runs: asking it starts no other. */
  api(): Promise<ApiClient> {
    const { token: tokenFile, apiAddress: addressFile } = locateStateFolder(
      siteEnvironment(this.#site.environment, this.#user),
    );
    return connectApi({ tokenFile, addressFile });
  }

  /** Waits for one of these phases; a release that has failed where that was not asked for is an error. */
  async whenPhase(name: string, ...phases: readonly ReleaseStatus["phase"][]): Promise<ReleaseStatus> {
    const deadlineMs = performance.now() + 60_000;
    for (;;) {
      const status = await this.status(name);
      if (phases.includes(status.phase)) return status;
      if (status.phase === "failed" || performance.now() > deadlineMs) {
        throw new Error(`${name} is ${status.phase}: ${JSON.stringify(status.events.slice(-3))}`);
      }
      await delay(50);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#up.stop();
  }
}
