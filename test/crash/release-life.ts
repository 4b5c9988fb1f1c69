import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { inspect, isDeepStrictEqual } from "node:util";
import { fileURLToPath } from "node:url";
import type { ApiClient } from "../../src/api/client.ts";
import type { ReleaseSummary } from "../../src/api/types.ts";
import { KirikaeError } from "../../src/core/diagnostics/error.ts";
import { readJournal } from "../../src/engine/journal.ts";
import { openStateFolder } from "../../src/local/state-folder.ts";
import { EnvoyAdmin } from "../../src/targets/local-envoy/admin.ts";
import { eventually, type RunningUp } from "../e2e/product.ts";
import { SampleMesh } from "./sample-mesh.ts";

const program = fileURLToPath(new URL("up-process.ts", import.meta.url));

const name = "sample-ns/to-green";

/** Where the process that runs looks for the write that it is to die at. */
function pointFile({ sandbox }: SampleMesh): string {
  return join(sandbox.root, "point");
}

function start(mesh: SampleMesh): RunningUp {
  return mesh.sandbox.start([program, mesh.sandbox.manifests, `80=${mesh.port}`, pointFile(mesh)]);
}

/** How often a release is told to go back in one life: its way back, the undo of that, and the undo of the undo. */
const ordersInALife = 3;

/** What visitors can tell apart, in all proxies and in what kirikae says of them. */
interface WorldState {
  readonly live: string;
  readonly rules: unknown;
  /** The routes of the proxy without their weights, which may be runtime values instead. */
  readonly routes: unknown;
}

/**
 * The life of a release on the real Envoy, again and again: to its end, back, again, and back. Whatever has died, the
 * next process has to go on, and what is left after each part has to be what it was the first time.
 */
export class ReleaseLife implements AsyncDisposable {
  readonly mesh: SampleMesh;
  readonly #admin: EnvoyAdmin;
  readonly #text: string;
  #up: RunningUp;
  #hasDied = false;
  #deaths = 0;
  /** Those of lives before this one. */
  readonly #past = new Set<string>();
  /** What was left after so many orders to go back, in the first life. */
  readonly #recorded: WorldState[] = [];

  private constructor(parts: { mesh: SampleMesh; up: RunningUp; admin: EnvoyAdmin; text: string }) {
    this.mesh = parts.mesh;
    this.#up = parts.up;
    this.#admin = parts.admin;
    this.#text = parts.text;
    this.#watch();
  }

  static async create(strategy: string): Promise<ReleaseLife> {
    const mesh = await SampleMesh.create();
    const up = start(mesh);
    await up.ready;
    const state = await openStateFolder({ KIRIKAE_STATE: mesh.sandbox.state });
    const spec = `{routes: [{virtualService: sample-app}], to: green, strategy: ${strategy}}`;
    const metadata = "{name: to-green, namespace: sample-ns}";
    const text = `{apiVersion: kirikae.dev/v1alpha1, kind: Release, metadata: ${metadata}, spec: ${spec}}`;
    return new ReleaseLife({ mesh, up, text, admin: new EnvoyAdmin(state.socket("admin.sock")) });
  }

  /** Lives once without a death, and remembers what that leaves. Returns how often the journal was written. */
  async rehearse(): Promise<number> {
    const before = await this.#look();
    const written = this.#journalLength();
    await this.#live();
    const [done, back, again, end] = this.#recorded;
    for (const [one, other] of [
      [before, back],
      [done, again],
      [back, end],
    ]) {
      if (!isDeepStrictEqual(one, other)) throw new Error(`an undo leaves ${inspect({ one, other }, { depth: 8 })}`);
    }
    return this.#journalLength() - written;
  }

  /** Lives once with a process that dies at this write of the journal, such as `3:before`, and with others after it. */
  async dieAt(point: string): Promise<void> {
    writeFileSync(pointFile(this.mesh), point);
    await this.#live();
    if (this.#deaths !== 1) throw new Error(`${this.#deaths} processes died`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#admin[Symbol.dispose]();
    await this.mesh[Symbol.asyncDispose]();
  }

  async #live(): Promise<void> {
    this.#deaths = 0;
    let last = "none";
    const isOver = eventually(
      "a life",
      async () => {
        if (this.#hasDied) await this.#next();
        const status = await this.#ask((api) => this.#find(api));
        if (status === undefined) return undefined;
        if (status === "none") {
          await this.#ask((api) => api.startRelease({ path: "release.yaml", text: this.#text, actor: "ann" }));
          return undefined;
        }
        if (status.phase === "failed" || status.phase === "paused") throw new Error(status.message);
        last = `${status.phase}: ${status.message}`;
        if (status.phase !== "done" && status.phase !== "rolledBack") {
          // Many lives side by side would keep both cores busy with questions.
          await new Promise((resolve) => setTimeout(resolve, 150));
          return undefined;
        }
        const events = (await this.#ask((api) => api.release(name, { live: false })))?.events;
        if (events === undefined) return undefined;
        const orders = events.filter(({ kind }) => kind === "rollback").length;
        await this.#compare(orders, status.phase);
        if (orders < ordersInALife) {
          await this.#ask((api) => api.orderRelease(name, { command: { kind: "rollback" }, actor: "ann" }));
          return undefined;
        }
        this.#past.add(status.id);
        return true;
      },
      300_000,
    );
    await isOver.catch((error: unknown) => {
      throw new Error(`after ${this.#deaths} deaths it is ${last}`, { cause: error });
    });
  }

  async #compare(orders: number, phase: ReleaseSummary["phase"]): Promise<void> {
    const wanted = orders % 2 === 0 ? "done" : "rolledBack";
    if (phase !== wanted) throw new Error(`it is ${phase} after ${orders} orders to go back`);
    const seen = await this.#look();
    const recorded = (this.#recorded[orders] ??= seen);
    if (!isDeepStrictEqual(seen, recorded)) {
      throw new Error(`after ${orders} orders to go back: ${inspect({ seen, recorded }, { depth: 8 })}`);
    }
  }

  async #find(api: ApiClient): Promise<ReleaseSummary | "none"> {
    const [newest] = await api.releases({ limit: 1 });
    return newest === undefined || this.#past.has(newest.id) ? "none" : newest;
  }

  async #look(): Promise<WorldState> {
    const live = await this.mesh.expectWorldToEqualJournal();
    const { services } = await this.mesh.status();
    const rules = services[0]?.rules.map(({ role, weights }) => ({ role, weights }));
    return { live, rules, routes: await this.#routes() };
  }

  async #routes(): Promise<unknown> {
    const dump = JSON.parse(await this.#admin.get("/config_dump?resource=dynamic_route_configs")) as {
      readonly configs: readonly { readonly route_config: unknown }[];
    };
    const routes = dump.configs.map(({ route_config: config }) => config);
    return JSON.parse(JSON.stringify(routes, (key, value: unknown) => (key === "weight" ? undefined : value)));
  }

  /** Undefined where the process died before it had answered. */
  async #ask<Answer>(ask: (api: ApiClient) => Promise<Answer>): Promise<Answer | undefined> {
    try {
      return await ask(await this.mesh.sandbox.api());
    } catch (error) {
      if (!(error instanceof KirikaeError)) throw error;
      // Its end is noticed a moment later.
      await Promise.race([this.#up.exited, new Promise((resolve) => setTimeout(resolve, 2_000))]);
      if (!this.#hasDied) throw error;
      return undefined;
    }
  }

  async #next(): Promise<void> {
    this.#deaths += 1;
    this.#up = start(this.mesh);
    this.#watch();
    await this.#up.ready;
  }

  #watch(): void {
    this.#hasDied = false;
    const noteEnd = async (): Promise<void> => {
      await this.#up.exited;
      this.#hasDied = true;
    };
    void noteEnd();
  }

  #journalLength(): number {
    return readJournal(join(this.mesh.sandbox.state, "journal.sqlite")).length;
  }
}
