import { type ChildProcess, spawn } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { type ApiClient, connectApi } from "../../src/api/client.ts";
import { lastingPorts } from "../lasting-ports.fixture.ts";
import { stopProcess } from "../../src/local/process-identity.ts";
import { ProcessRegistry } from "../../src/local/process-registry.ts";
import { locateStateFolder } from "../../src/local/state-folder.ts";

export const bin = fileURLToPath(new URL("../../bin/kirikae.js", import.meta.url));
const repository = fileURLToPath(new URL("../..", import.meta.url));

interface GatewayLine {
  readonly gateway: string;
  readonly server: string;
  readonly address: string;
}

export interface ReadyLine {
  readonly event: "ready";
  readonly api: string;
  readonly gateways: readonly GatewayLine[];
}

export interface CliResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Everything that one test shares between the `up`s and the commands that it runs: state and manifests of its own. */
export class Sandbox implements AsyncDisposable {
  readonly root: string;
  readonly state: string;
  readonly manifests: string;
  readonly #running: RunningUp[] = [];

  constructor(files: Readonly<Record<string, string>> | { readonly copyOf: string }) {
    this.root = mkdtempSync(join(tmpdir(), "kirikae-e2e-"));
    this.state = join(this.root, "state");
    this.manifests = join(this.root, "manifests");
    if (typeof files["copyOf"] === "string") {
      cpSync(join(repository, files["copyOf"]), this.manifests, { recursive: true });
    } else {
      mkdirSync(this.manifests);
      for (const [name, text] of Object.entries(files)) this.write(name, text);
    }
  }

  write(name: string, text: string): void {
    writeFileSync(join(this.manifests, name), text);
  }

  get environment(): NodeJS.ProcessEnv {
    return { ...process.env, KIRIKAE_STATE: this.state, NO_COLOR: "1" };
  }

  /** Starts `up` on the manifests and waits until it is ready; `onFreePorts` says where its gateways are. */
  async up(
    options: { readonly folder?: string; readonly args?: readonly string[]; readonly env?: NodeJS.ProcessEnv } = {},
  ): Promise<RunningUp> {
    const folder = options.folder ?? this.manifests;
    const up = this.start([bin, "up", folder, "--json", ...(options.args ?? [])], options.env);
    await up.ready;
    return up;
  }

  /** Starts a program that prints what `up --json` prints, and does not wait for it. */
  start(argv: readonly string[], env: NodeJS.ProcessEnv = {}): RunningUp {
    const child = spawn(process.execPath, argv, {
      env: { ...this.environment, ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    const up = new RunningUp(child);
    this.#running.push(up);
    return up;
  }

  /** Runs one command to its end. */
  async cli(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<CliResult> {
    const child = spawn(process.execPath, [bin, ...args], {
      env: { ...this.environment, ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    const [stdout, stderr, exitCode] = await Promise.all([text(child.stdout), text(child.stderr), exit(child)]);
    return { exitCode, stdout, stderr };
  }

  /** The API of the `up` that runs: who asks again and again does not start a process each time. */
  api(): Promise<ApiClient> {
    const { token: tokenFile, apiAddress: addressFile } = locateStateFolder(this.environment);
    return connectApi({ tokenFile, addressFile });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const up of this.#running) await up.stop();
    await this.#endProcesses();
    rmSync(this.root, { recursive: true, force: true });
  }

  /** Ends what an `up` that was killed left running, by its own record of what it started. */
  async #endProcesses(): Promise<void> {
    const file = join(this.state, "processes.json");
    if (!existsSync(file)) return;
    const registry = ProcessRegistry.open(file);
    const running = [...registry.running("envoy"), ...registry.running("workload")];
    await Promise.all(
      running.map(({ process: found, stopScope: scope, id: launchId }) =>
        stopProcess(found, { scope, launchId, graceMs: 1_000 }),
      ),
    );
  }

  /** The files of the manifest folder, for messages. */
  files(): readonly string[] {
    return readdirSync(this.manifests);
  }
}

export class RunningUp {
  readonly ready: Promise<ReadyLine>;
  readonly lines: Record<string, unknown>[] = [];
  readonly exited: Promise<number>;
  readonly #child: ChildProcess;
  #stderr = "";

  constructor(child: ChildProcess) {
    this.#child = child;
    this.exited = exit(child);
    child.stderr?.on("data", (chunk: Buffer) => {
      this.#stderr += chunk.toString();
    });
    this.ready = new Promise((resolve, reject) => {
      if (child.stdout === null) throw new Error("up was started without a pipe");
      createInterface({ input: child.stdout }).on("line", (line) => {
        const parsed = JSON.parse(line) as Record<string, unknown>;
        this.lines.push(parsed);
        if (parsed["event"] === "ready") resolve(parsed as unknown as ReadyLine);
      });
      void this.exited.then((code) => reject(new Error(`up ended with ${code} before it was ready:\n${this.#stderr}`)));
    });
    this.ready.catch(() => {});
  }

  get pid(): number {
    const { pid } = this.#child;
    if (pid === undefined) throw new Error("up has no process");
    return pid;
  }

  get stderr(): string {
    return this.#stderr;
  }

  /** As kill -9 or a power cut of this one process. */
  async kill(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.exited;
  }

  /** As Ctrl-C. */
  async stop(): Promise<number> {
    this.#child.kill("SIGINT");
    return await this.exited;
  }

  /** `host:port` of the first gateway, or of the one named. */
  async gateway(name?: string): Promise<{ readonly host: string; readonly port: number }> {
    const { gateways } = await this.ready;
    const found = gateways.find((entry) => name === undefined || entry.gateway === name);
    if (found === undefined) throw new Error(`no gateway ${name} among ${JSON.stringify(gateways)}`);
    const [host = "", port = ""] = found.address.split(":");
    return { host, port: Number(port) };
  }
}

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  return await lastingPorts().take();
}

/** Arguments of `up` that give each port of a gateway a free one, because without them everybody would have the same. */
export async function onFreePorts(...ports: readonly number[]): Promise<readonly string[]> {
  const pairs = await Promise.all(ports.map(async (port) => ["--gateway-port", `${port}=${await freePort()}`]));
  return pairs.flat();
}

/** Asks again until `probe` returns something, and fails with its last answer after `timeoutMs`. */
export async function eventually<T>(what: string, probe: () => Promise<T | undefined>, timeoutMs = 30_000): Promise<T> {
  const until = Date.now() + timeoutMs;
  for (;;) {
    const found = await probe();
    if (found !== undefined) return found;
    if (Date.now() > until) throw new Error(`waited ${timeoutMs} ms in vain for: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

function exit(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("exit", (code, signal) => resolve(code ?? (signal === null ? -1 : 128)));
  });
}

async function text(stream: NodeJS.ReadableStream | null): Promise<string> {
  let all = "";
  if (stream !== null) for await (const chunk of stream) all += String(chunk);
  return all;
}
