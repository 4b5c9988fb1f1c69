import type { ApiClient } from "../../src/api/client.ts";
import type { ReleaseStatus } from "../../src/api/types.ts";
import { connect } from "../../src/cli/connect.ts";
import { openStateFolder } from "../../src/local/state-folder.ts";
import { EnvoyAdmin } from "../../src/targets/local-envoy/admin.ts";
import { type RunningLoad, startLoad } from "../load/start-load.ts";
import { eventually, freePort, Sandbox } from "./product.ts";
import { manifestsOf, type PresetCase, presetApp, presetCases, releaseOf, requestsOf } from "./preset-cases.ts";

/** Every preset with every fault side by side in one `up`, each a service of its own, all under one load. */
export class PresetMesh implements AsyncDisposable {
  readonly #sandbox: Sandbox;
  readonly #api: ApiClient;
  readonly #admin: EnvoyAdmin;
  readonly #load: RunningLoad;
  /** How often each release had to be told to go on. */
  readonly #goesOn = new Map<string, number>();

  private constructor(parts: { sandbox: Sandbox; api: ApiClient; admin: EnvoyAdmin; load: RunningLoad }) {
    this.#sandbox = parts.sandbox;
    this.#api = parts.api;
    this.#admin = parts.admin;
    this.#load = parts.load;
  }

  static async create(): Promise<PresetMesh> {
    const port = await freePort();
    const sandbox = new Sandbox({ "mesh.yaml": manifestsOf(presetCases), "server.js": presetApp });
    await sandbox.up({ args: ["--gateway-port", `80=${port}`] });
    const state = await openStateFolder({ KIRIKAE_STATE: sandbox.state });
    const shapes = presetCases.flatMap(requestsOf);
    const load = await startLoad({
      address: `127.0.0.1:${port}`,
      requests: shapes,
      requestsPerSecond: shapes.reduce((sum, { share }) => sum + share, 0),
      newConnectionShare: 0.02,
      durationMs: 150_000,
    });
    const api = await connect({ KIRIKAE_STATE: sandbox.state });
    return new PresetMesh({ sandbox, api, admin: new EnvoyAdmin(state.socket("admin.sock")), load });
  }

  get api(): ApiClient {
    return this.#api;
  }

  get load(): RunningLoad {
    return this.#load;
  }

  async start(presetCase: PresetCase): Promise<ReleaseStatus> {
    return this.#api.startRelease({ path: "release.yaml", text: releaseOf(presetCase), actor: "ann" });
  }

  /** Passes the checks before the last one, which would take their whole time, and waits until that one judges. */
  async reachLastCheck({ name }: PresetCase): Promise<void> {
    await eventually(`the last check of ${name}`, async () => {
      const { phase, step, message, plan } = await this.#api.release(`shop/${name}`, { live: false });
      if (phase === "rolledBack") throw new Error(`${name}: ${message}`);
      if (phase === "failed") await this.#goOn(`shop/${name}`, message);
      if (phase !== "checking") return undefined;
      if (step === plan.steps.findLastIndex(({ kind }) => kind === "check" || kind === "bake") + 1) return true;
      await this.#api.orderRelease(`shop/${name}`, { command: { kind: "promote", full: false }, actor: "ann" });
      return undefined;
    });
  }

  /** Ends all processes of the new version of those that die, for good. */
  killMortals(): void {
    this.#sandbox.write("die", "");
  }

  /** Waits until all releases are over, and one that only waits for a person will never be. */
  async ends(): Promise<void> {
    await eventually("the ends of all releases", async () => {
      const releases = await this.#api.releases();
      for (const { phase, release, message } of releases) {
        if (phase === "failed" || phase === "paused") await this.#goOn(release, message);
      }
      return releases.every(({ phase }) => phase === "done" || phase === "rolledBack") ? true : undefined;
    });
  }

  /** As a person would where a busy machine answered too late or too little, which nothing else may look like. */
  async #goOn(release: string, message: string): Promise<void> {
    const isLate = message.includes("no answer within");
    const goesOn = this.#goesOn.get(release) ?? 0;
    if (goesOn === 3 || !(isLate || /requests came to|were timed/u.test(message))) {
      throw new Error(`${release}: ${message}`);
    }
    this.#goesOn.set(release, goesOn + 1);
    await this.#api.orderRelease(release, { command: { kind: isLate ? "retry" : "resume" }, actor: "ann" });
  }

  /** What Envoy says that it does for the requests of each host. */
  async virtualHosts(): Promise<ReadonlyMap<string, unknown>> {
    const dump = JSON.parse(await this.#admin.get("/config_dump?resource=dynamic_route_configs")) as {
      readonly configs: readonly { readonly route_config: { readonly virtual_hosts?: readonly VirtualHost[] } }[];
    };
    const hosts = dump.configs.flatMap(({ route_config: routes }) => routes.virtual_hosts ?? []);
    return new Map(hosts.map((host) => [String(host.domains[0]), host]));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#load[Symbol.asyncDispose]();
    this.#admin[Symbol.dispose]();
    await this.#sandbox[Symbol.asyncDispose]();
  }
}

interface VirtualHost {
  readonly domains: readonly string[];
}
