import { once } from "node:events";
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";
import { bin } from "../e2e/product.ts";
import type { Site } from "./site.ts";

export interface ControllerOptions {
  readonly identity: string;
  readonly args?: readonly string[];
}

/** `kirikae controller` beside a cluster, as its Deployment runs it, for the Releases of the site's namespace. */
export class ControllerProcess implements AsyncDisposable {
  readonly lines: string[] = [];
  readonly #child: ReturnType<typeof spawn>;
  readonly #exited: Promise<unknown>;

  private constructor(site: Pick<Site, "namespace" | "environment">, { identity, args = [] }: ControllerOptions) {
    const lease = ["--lease-namespace", site.namespace, "--identity", identity, "--health-port", "0"];
    this.#child = spawn(process.execPath, [bin, "controller", "--context", "admin", ...lease, ...args], {
      env: site.environment,
      stdio: ["ignore", "ignore", "pipe"],
    });
    this.#exited = once(this.#child, "exit");
    const { stderr } = this.#child;
    if (stderr !== null) createInterface({ input: stderr }).on("line", (line) => this.lines.push(line));
  }

  /** Returns when it stands for election, or has said something else that is waited for. */
  static async start(
    site: Pick<Site, "namespace" | "environment">,
    options: ControllerOptions,
    text = /health is told at port/u,
  ): Promise<ControllerProcess> {
    const started = new ControllerProcess(site, options);
    await started.whenSaid(text);
    return started;
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  async whenSaid(text: RegExp, timeoutMs = 60_000): Promise<void> {
    await until(() => this.lines.some((line) => text.test(line)), {
      timeoutMs,
      what: () => `${String(text)} in:\n${this.lines.join("\n")}`,
    });
  }

  /** What one of its health pages answers. */
  async ask(page: string): Promise<{ readonly status: number; readonly text: string }> {
    const port = this.lines
      .map((line) => /health is told at port (?<port>\d+)/u.exec(line)?.groups?.["port"])
      .find(Boolean);
    const answer = await fetch(`http://127.0.0.1:${port ?? ""}${page}`);
    return { status: answer.status, text: await answer.text() };
  }

  /** As a node that loses its power does it. */
  async kill(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#exited;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    this.#child.kill("SIGTERM");
    const timer = setTimeout(() => this.#child.kill("SIGKILL"), 30_000);
    await this.#exited;
    clearTimeout(timer);
  }
}

/** Polls until it is so. Throws with `what` was waited for when the time is over. */
export async function until(
  isSo: () => boolean | Promise<boolean>,
  { timeoutMs = 60_000, what }: { readonly timeoutMs?: number; readonly what: () => string },
): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (!(await isSo())) {
    if (performance.now() > deadline) throw new Error(`not within ${timeoutMs} ms: ${what()}`);
    await delay(100);
  }
}
