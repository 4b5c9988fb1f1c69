import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { eventually, freePort } from "./product.ts";

/** Whether Prometheus is installed here; what needs it is skipped otherwise, and says so. */
export const hasPrometheus = spawnSync("prometheus", ["--version"]).status === 0;

export const prometheusMissing =
  "SKIPPED: no `prometheus` here (Debian: apt-get install prometheus), so its judge is not tested.";

/** A real Prometheus that scrapes one page each half second. */
export class Prometheus implements AsyncDisposable {
  readonly address: string;
  /** What the page says, in Prometheus' text format. */
  metrics = "";
  readonly #end: () => Promise<void>;

  private constructor(address: string, end: () => Promise<void>) {
    this.address = address;
    this.#end = end;
  }

  /** With a password, it answers only to `ann` (basic authentication by `webConfig`). */
  static async start(options: { readonly metrics: string; readonly webConfig?: string }): Promise<Prometheus> {
    const root = mkdtempSync(join(tmpdir(), "kirikae-prometheus-"));
    const page = createServer((_, response) => response.end(started?.metrics ?? options.metrics));
    await new Promise<void>((resolve) => void page.listen(0, "127.0.0.1", resolve));
    const { port: pagePort } = page.address() as AddressInfo;
    const port = await freePort();
    const config = { global: { scrape_interval: "500ms", scrape_timeout: "400ms" }, scrape_configs: scrape(pagePort) };
    writeFileSync(join(root, "prometheus.yml"), JSON.stringify(config));
    const web = join(root, "web.yml");
    if (options.webConfig !== undefined) writeFileSync(web, options.webConfig);
    const child = spawn(
      "prometheus",
      [
        `--config.file=${join(root, "prometheus.yml")}`,
        `--storage.tsdb.path=${join(root, "data")}`,
        `--web.listen-address=127.0.0.1:${port}`,
        ...(options.webConfig === undefined ? [] : [`--web.config.file=${web}`]),
      ],
      { stdio: "ignore" },
    );
    const ended = new Promise<void>((resolve) => void child.once("exit", () => resolve()));
    const started: Prometheus | undefined = new Prometheus(`http://127.0.0.1:${port}`, async () => {
      child.kill("SIGKILL");
      await ended;
      page.closeAllConnections();
      page.close();
      rmSync(root, { recursive: true, force: true });
    });
    started.metrics = options.metrics;
    await eventually("Prometheus", async () => {
      const answer = await fetch(`${started.address}/-/ready`).catch(() => undefined);
      return answer?.ok === true || answer?.status === 401 ? true : undefined;
    });
    return started;
  }

  /** The first value of a query; undefined while there is none. */
  async value(query: string): Promise<number | undefined> {
    const answer = await fetch(`${this.address}/api/v1/query?query=${encodeURIComponent(query)}`);
    const { data } = (await answer.json()) as { data: { result: readonly { value: readonly [number, string] }[] } };
    const text = data.result[0]?.value[1];
    return text === undefined ? undefined : Number(text);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#end();
  }
}

function scrape(port: number): readonly object[] {
  return [{ job_name: "app", static_configs: [{ targets: [`127.0.0.1:${port}`] }] }];
}
