import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { ClientFiles } from "../../src/api/client.ts";
import { findEnvoy } from "../../src/local/envoy-binary.ts";
import { locateStateFolder } from "../../src/local/state-folder.ts";
import { freePorts } from "../started-process.ts";

export interface UpSetup {
  readonly manifests: string;
  readonly stateFolder: string;
  readonly concurrency: number;
}

/** The first line that `up --json` prints. */
interface UpReady {
  readonly event: "ready";
  readonly api: string;
  readonly gateways: readonly { readonly gateway: string; readonly server: string; readonly address: string }[];
}

export interface RunningUp extends AsyncDisposable {
  readonly pid: number;
  readonly ready: UpReady;
  readonly startedInMs: number;
  readonly envoyVersion: string;
  readonly envoyPath: string;
  readonly apiFiles: ClientFiles;
}

const bin = fileURLToPath(new URL("../../bin/kirikae.js", import.meta.url));

/** Starts `kirikae up` with a state folder of its own and waits until it says that it is ready. */
export async function startUp(setup: UpSetup): Promise<RunningUp> {
  const envoy = await findEnvoy({ env: process.env, onProgress: (message) => process.stderr.write(`${message}\n`) });
  const [gatewayPort = 0] = await freePorts(1);
  const env = { ...process.env, KIRIKAE_STATE: setup.stateFolder };
  const args = [bin, "up", setup.manifests, "--json", "--envoy", envoy.path, "--gateway-port", `80=${gatewayPort}`];
  const startMs = performance.now();
  const child = spawn(process.execPath, [...args, "--concurrency", String(setup.concurrency)], {
    env,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let problems = "";
  child.stderr.on("data", (chunk: Buffer) => (problems = `${problems}${chunk.toString()}`.slice(-4_000)));
  const exited = once(child, "exit");
  const ready = await firstReady(child.stdout, () => problems);
  const files = locateStateFolder(env);
  return {
    pid: child.pid ?? 0,
    ready,
    startedInMs: performance.now() - startMs,
    envoyVersion: `Envoy ${envoy.version}`,
    envoyPath: envoy.path,
    apiFiles: { tokenFile: files.token, addressFile: files.apiAddress },
    async [Symbol.asyncDispose]() {
      child.kill("SIGINT");
      const kill = setTimeout(() => child.kill("SIGKILL"), 20_000);
      await exited;
      clearTimeout(kill);
    },
  };
}

async function firstReady(output: NodeJS.ReadableStream, problems: () => string): Promise<UpReady> {
  for await (const line of createInterface({ input: output })) {
    const event: Partial<UpReady> = JSON.parse(line);
    if (event.event !== "ready" || event.api === undefined || event.gateways === undefined) continue;
    // Whatever it prints later is not read, and must not fill the pipe.
    output.resume();
    return { event: event.event, api: event.api, gateways: event.gateways };
  }
  throw new Error(`up ended before it was ready: ${problems()}`);
}

/** Resident memory in bytes (proc(5), VmRSS), or NaN where the system does not tell. */
export async function residentBytes(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? Number.NaN) * 1_024;
}
