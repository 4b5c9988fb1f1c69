import { spawn } from "node:child_process";
import { once } from "node:events";
import { access, constants } from "node:fs/promises";
import { connect, createServer } from "node:net";
import { delimiter, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

export interface StartedProcess extends AsyncDisposable {
  readonly pid: number;
  readonly output: () => string;
}

export interface StartOptions {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  /** Sent first to end the process; SIGKILL follows after 10 s. */
  readonly signal?: NodeJS.Signals;
  /** Linux shares the processor between sessions first (sched_autogroup), so what is compared must be alike in this. */
  readonly isOwnSession?: boolean;
}

/** Starts a program that stays in the foreground; disposing it ends that process and waits until it is gone. */
export function startProcess(command: readonly string[], options: StartOptions = {}): StartedProcess {
  const [file = "", ...args] = command;
  const child = spawn(file, args, {
    cwd: options.cwd,
    env: options.env ?? process.env,
    stdio: ["ignore", "pipe", "pipe"],
    detached: options.isOwnSession ?? false,
  });
  const exited = once(child, "exit");
  // A program that cannot be started shows in the wait for its port, with this as its output.
  let output = "";
  child.on("error", (error) => (output += error.message));
  const keep = (chunk: Buffer): void => {
    output = `${output}${chunk.toString()}`.slice(-20_000);
  };
  child.stdout.on("data", keep);
  child.stderr.on("data", keep);
  return {
    pid: child.pid ?? 0,
    output: () => output,
    async [Symbol.asyncDispose]() {
      if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
      child.kill(options.signal ?? "SIGTERM");
      const kill = setTimeout(() => child.kill("SIGKILL"), 10_000);
      await exited;
      clearTimeout(kill);
    },
  };
}

/** Runs a program to its end and returns what it printed; throws unless it ended with 0. */
export async function runProgram(command: readonly string[], options: StartOptions = {}): Promise<string> {
  const [file = "", ...args] = command;
  const child = spawn(file, args, {
    cwd: options.cwd,
    env: options.env ?? process.env,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (output += chunk.toString()));
  const [status] = await once(child, "close");
  if (status !== 0) throw new Error(`${command.join(" ")} ended with ${String(status)}: ${output}`);
  return output;
}

/** The path of a program, or undefined where it is not installed. Debian keeps servers in /usr/sbin. */
export async function findProgram(name: string): Promise<string | undefined> {
  const folders = [...(process.env["PATH"] ?? "").split(delimiter), "/usr/sbin", "/usr/local/sbin"];
  for (const folder of folders) {
    const path = join(folder, name);
    const isThere = await access(path, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (isThere) return path;
  }
  return undefined;
}

/** Ports that were free a moment ago, all different. */
export async function freePorts(count: number): Promise<readonly number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, "127.0.0.1"));
  const ports: number[] = [];
  for (const server of servers) {
    if (!server.listening) await once(server, "listening");
    const bound = server.address();
    if (bound !== null && typeof bound !== "string") ports.push(bound.port);
  }
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

/** Waits until something accepts connections on a loopback port. */
export async function waitForPort(port: number, started: StartedProcess): Promise<void> {
  const deadline = performance.now() + 30_000;
  while (!(await accepts(port))) {
    if (performance.now() > deadline) throw new Error(`Nothing listens on port ${port}: ${started.output()}`);
    await delay(20);
  }
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: "127.0.0.1", port });
    socket.on("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.on("error", () => resolve(false));
  });
}
