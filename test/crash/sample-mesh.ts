import { get } from "node:http";
import { inspect, isDeepStrictEqual } from "node:util";
import type { HistoryEntry, Status } from "../../src/api/types.ts";
import { type RunningLoad, startLoad } from "../load/start-load.ts";
import { summarizeLoad } from "../load/load-summary.ts";
import { type CliResult, eventually, freePort, Sandbox } from "../e2e/product.ts";

const host = "sample.hoge.com";
const app = ["sample-app", "-n", "sample-ns"];

/** `examples/blue-green` with what the crash and fault tests ask of it again and again. */
export class SampleMesh implements AsyncDisposable {
  readonly sandbox: Sandbox;
  readonly port: number;

  private constructor(sandbox: Sandbox, port: number) {
    this.sandbox = sandbox;
    this.port = port;
  }

  static async create(): Promise<SampleMesh> {
    return new SampleMesh(new Sandbox({ copyOf: "examples/blue-green" }), await freePort());
  }

  get args(): readonly string[] {
    return ["--gateway-port", `80=${this.port}`];
  }

  move(...command: readonly string[]): Promise<CliResult> {
    const [verb = "", ...rest] = command;
    return this.sandbox.cli([verb, ...app, ...rest, "--json"]);
  }

  /** About so many requests a second, half of them with the testers' header. */
  load(requestsPerSecond = 500): Promise<RunningLoad> {
    return startLoad({
      address: `127.0.0.1:${this.port}`,
      requests: [{ host }, { host, headers: { "x-version": "green" } }],
      requestsPerSecond,
      newConnectionShare: 0.05,
      durationMs: 120_000,
    });
  }

  async status(): Promise<Status> {
    return (await this.sandbox.api()).status();
  }

  async history(): Promise<readonly HistoryEntry[]> {
    return (await this.sandbox.api()).history(undefined);
  }

  async envoyPid(): Promise<number> {
    const pid = (await this.status()).proxies[0]?.pid;
    if (pid === undefined) throw new Error("the status names no pid of Envoy");
    return pid;
  }

  async replicaPids(workload: string): Promise<readonly number[]> {
    const found = (await this.status()).workloads.find(({ name }) => name === `sample-ns/${workload}`);
    return (found?.replicas ?? []).flatMap(({ pid }) => pid ?? []);
  }

  /** Waits for an Envoy, another one than `earlier` where that is given, that is connected and answers. */
  async whenServing(earlier: number | undefined): Promise<void> {
    await eventually("an Envoy that serves", async () => {
      const [proxy] = (await this.status()).proxies;
      if (proxy?.connected !== true || proxy.pid === undefined || proxy.pid === earlier) return undefined;
      return this.ask().then(
        (answer) => (answer === "blue" || answer === "green" ? true : undefined),
        () => undefined,
      );
    });
  }

  /** Which colour answers, or a status or error where none does. */
  ask(headers: Readonly<Record<string, string>> = {}): Promise<string> {
    return new Promise((resolve, reject) => {
      const options = { host: "127.0.0.1", port: this.port, agent: false, headers: { host, ...headers } };
      const request = get({ ...options, timeout: 5_000 }, (response) => {
        response.resume();
        const color = response.headers["x-color"];
        response.on("end", () => resolve(typeof color === "string" ? color : String(response.statusCode)));
      });
      request.on("timeout", () => request.destroy(new Error("no answer within 5 s")));
      request.on("error", reject);
    });
  }

  async seen(headers: Readonly<Record<string, string>> = {}): Promise<ReadonlySet<string>> {
    return new Set(await Promise.all(Array.from({ length: 40 }, () => this.ask(headers))));
  }

  /**
   * The one thing that must hold after anything: what answers is what the journal says, nothing is half moved, and
   * every move has an end. Returns the live colour.
   */
  async expectWorldToEqualJournal(): Promise<string> {
    const [service] = (await this.status()).services;
    const history = await this.history();
    const live = service?.live ?? "";
    const idle = live === "blue" ? "green" : "blue";
    const seen = {
      rules: service?.rules.map(({ role, weights }) => [role, weights]),
      public: await this.seen(),
      preview: await this.seen({ "x-version": "green" }),
      running: history.filter(({ outcome }) => outcome === "running"),
      journal: history.findLast(({ outcome }) => outcome === "done" || outcome === "unproved")?.after[live] ?? 100,
    };
    const wanted = {
      rules: [
        ["preview", { [idle]: 100, [live]: 0 }],
        ["public", { [live]: 100, [idle]: 0 }],
      ],
      public: new Set([live]),
      preview: new Set([idle]),
      running: [],
      journal: 100,
    };
    if (!isDeepStrictEqual(seen, wanted)) throw new Error(`the world is not whole: ${inspect(seen, { depth: 6 })}`);
    return live;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.sandbox[Symbol.asyncDispose]();
  }
}

export async function expectNothingLost(load: RunningLoad): Promise<void> {
  const { records } = await load.stop();
  const { failed, failures } = summarizeLoad(records);
  if (failed > 0 || records.length < 100) {
    throw new Error(`${failed} of ${records.length} requests failed: ${JSON.stringify(failures)}`);
  }
}
