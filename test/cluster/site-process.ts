import { once } from "node:events";
import { spawn } from "node:child_process";
import { bin, eventually } from "../e2e/product.ts";
import type { Site } from "./site.ts";

/** A command of the product that runs for longer than one answer, as a user of a cluster has it in a terminal. */
export class SiteProcess implements AsyncDisposable {
  stdout = "";
  stderr = "";
  readonly #child: ReturnType<typeof spawn>;
  readonly #ended: Promise<readonly unknown[]>;

  constructor(site: Pick<Site, "environment">, args: readonly string[]) {
    this.#child = spawn(process.execPath, [bin, "--context", "admin", ...args], {
      env: site.environment,
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.#ended = once(this.#child, "close");
    this.#child.stdout?.on("data", (chunk: Buffer) => (this.stdout += chunk.toString()));
    this.#child.stderr?.on("data", (chunk: Buffer) => (this.stderr += chunk.toString()));
  }

  /** Waits until it has printed this on one of its streams. */
  async whenSaid(stream: "stdout" | "stderr", text: string, timeoutMs = 30_000): Promise<void> {
    const found = async (): Promise<true | undefined> => (this[stream].includes(text) ? true : undefined);
    await eventually(`"${text}" on ${stream}`, found, timeoutMs);
  }

  /** Asks it to stop, as Ctrl-C does. */
  interrupt(): void {
    this.#child.kill("SIGINT");
  }

  /** As a laptop that loses its power does it. */
  kill(): void {
    this.#child.kill("SIGKILL");
  }

  /** Its exit status; null where a signal has ended it. */
  async exit(): Promise<number | null> {
    await this.#ended;
    return this.#child.exitCode;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) this.#child.kill("SIGKILL");
    await this.#ended;
  }
}
