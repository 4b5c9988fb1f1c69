import { writeFileSync } from "node:fs";
import { request } from "node:http";
import { join } from "node:path";
import type { ReleaseStatus, ReleaseSummary } from "../../src/api/types.ts";
import { openStateFolder } from "../../src/local/state-folder.ts";
import { EnvoyAdmin } from "../../src/targets/local-envoy/admin.ts";
import { SampleMesh } from "../crash/sample-mesh.ts";
import { eventually, type RunningUp } from "./product.ts";

export const host = "sample.hoge.com";

interface Answer {
  readonly color: string;
  readonly setCookie: string | undefined;
}

/** The example with a release of it, and the eyes of its visitors. */
export class ReleasedSample implements AsyncDisposable {
  readonly mesh: SampleMesh;
  readonly #admin: EnvoyAdmin;
  #up: RunningUp;

  private constructor(mesh: SampleMesh, up: RunningUp, admin: EnvoyAdmin) {
    this.mesh = mesh;
    this.#up = up;
    this.#admin = admin;
  }

  /** With another app than that of the example, or started in another way, where that is asked for. */
  static async create(
    options: { readonly app?: string; readonly start?: (mesh: SampleMesh) => Promise<RunningUp> } = {},
  ): Promise<ReleasedSample> {
    const mesh = await SampleMesh.create();
    if (options.app !== undefined) mesh.sandbox.write("server.js", options.app);
    const up = await (options.start?.(mesh) ?? mesh.sandbox.up({ args: mesh.args }));
    const state = await openStateFolder({ KIRIKAE_STATE: mesh.sandbox.state });
    return new ReleasedSample(mesh, up, new EnvoyAdmin(state.socket("admin.sock")));
  }

  get up(): RunningUp {
    return this.#up;
  }

  /** Kills the process where it still runs, and lets another one find what it left. */
  async restart(): Promise<void> {
    await this.#up.kill();
    this.#up = await this.mesh.sandbox.up({ args: this.mesh.args });
  }

  async tell(...args: readonly string[]): Promise<ReleaseStatus> {
    const { stdout, stderr } = await this.mesh.sandbox.cli([...args, "--json"]);
    if (stdout === "") throw new Error(stderr);
    return JSON.parse(stdout);
  }

  async start(strategy: string, more = ""): Promise<void> {
    const file = join(this.mesh.sandbox.root, "release.yaml");
    const spec = `{routes: [{virtualService: sample-app}], to: green, ${more} strategy: ${strategy}}`;
    const metadata = "{name: to-green, namespace: sample-ns}";
    writeFileSync(file, `{apiVersion: kirikae.dev/v1alpha1, kind: Release, metadata: ${metadata}, spec: ${spec}}\n`);
    await this.tell("start", file);
  }

  wait(goal: "done" | "paused" | "failed"): Promise<ReleaseStatus> {
    return this.tell("wait", "to-green", "--for", goal, "--timeout", "30s");
  }

  /** Newest first. */
  async list(): Promise<readonly ReleaseSummary[]> {
    return (await this.mesh.sandbox.api()).releases();
  }

  /** Waits until it holds at a step, counted from 1. */
  async holding(step: number): Promise<void> {
    await eventually(`the hold of step ${step}`, async () => {
      const [status] = await this.list();
      if (status?.phase === "failed") throw new Error(status.message);
      return status?.phase === "holding" && status.step === step ? true : undefined;
    });
  }

  ask(headers: Readonly<Record<string, string>> = {}, { method = "GET", path = "/" } = {}): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const at = { host: "127.0.0.1", port: this.mesh.port, agent: false, timeout: 5_000 };
      const sent = request({ ...at, method, path, headers: { host, ...headers } }, (response) => {
        response.resume();
        const color = response.headers["x-color"];
        const [setCookie] = response.headers["set-cookie"] ?? [];
        response.on("end", () => resolve({ color: String(color ?? response.statusCode), setCookie }));
      });
      sent.on("timeout", () => sent.destroy(new Error("no answer within 5 s")));
      sent.on("error", reject);
      sent.end();
    });
  }

  async colors(headers: Readonly<Record<string, string>> = {}, more = {}): Promise<ReadonlySet<string>> {
    const answers = await Promise.all(Array.from({ length: 20 }, () => this.ask(headers, more)));
    return new Set(answers.map(({ color }) => color));
  }

  /** What Envoy says its routes are, without when it got them. */
  async routes(): Promise<unknown> {
    const dump = JSON.parse(await this.#admin.get("/config_dump?resource=dynamic_route_configs")) as {
      readonly configs: readonly { readonly route_config: unknown }[];
    };
    return dump.configs.map(({ route_config: routes }) => routes);
  }

  /** Requests by cluster, of those whose name has this in it. */
  async requests(pattern: string): Promise<number> {
    const stats = await this.#admin.stats(`^cluster\\.${pattern}.*\\.upstream_rq_total$`, { usedOnly: false });
    return [...stats.values()].reduce((sum, value) => sum + value, 0);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#admin[Symbol.dispose]();
    await this.mesh[Symbol.asyncDispose]();
  }
}
