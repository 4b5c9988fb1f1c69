import { spawn } from "node:child_process";
import { once } from "node:events";
import { openSync, closeSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

export interface ChildProgramOptions {
  readonly path: string;
  readonly args: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
  /** What starts it somewhere else, such as in a network namespace; it has to become the program, not its parent. */
  readonly enter?: readonly string[];
  /** Everything that it prints. */
  readonly log: string;
}

/** A program that a test has started and stops by its own pid; a test run that dies takes it along. */
export interface ChildProgram extends AsyncDisposable {
  readonly pid: number;
  /**
   * Polls until the probe answers true.
   * @throws with the end of the log when the program ends first or the time is up.
   */
  whenReady(probe: () => Promise<boolean>, timeoutMs: number): Promise<void>;
  readLog(): Promise<string>;
  /** Takes the processor away from it: its connections stay open and nothing is answered. */
  pause(): void;
  resume(): void;
}

/** Of what runs: one listener for all, because a cluster is more programs than Node takes listeners for. */
const killsAtExit = new Set<() => void>();
process.on("exit", () => {
  for (const kill of killsAtExit) kill();
});

export function startProgram(options: ChildProgramOptions): ChildProgram {
  const log = openSync(options.log, "a");
  const [path = options.path, ...args] = [...(options.enter ?? []), options.path, ...options.args];
  const child = spawn(path, args, { stdio: ["ignore", log, log], env: options.env ?? process.env });
  closeSync(log);
  const ended = once(child, "exit").catch(() => undefined);
  const name = basename(options.path);
  const kill = () => child.kill("SIGKILL");
  killsAtExit.add(kill);
  const hasEnded = () => child.exitCode !== null || child.signalCode !== null || child.pid === undefined;
  const readLog = () => readFile(options.log, "utf8");
  return {
    pid: child.pid ?? 0,
    readLog,
    pause: () => void child.kill("SIGSTOP"),
    resume: () => void child.kill("SIGCONT"),
    async whenReady(probe, timeoutMs) {
      const deadline = performance.now() + timeoutMs;
      for (;;) {
        if (!hasEnded() && (await probe().catch(() => false))) return;
        if (hasEnded() || performance.now() > deadline) {
          const text = await readLog();
          throw new Error(`${name} ${hasEnded() ? "has ended" : "is not ready"}:\n${text.slice(-3000)}`);
        }
        await delay(20);
      }
    },
    async [Symbol.asyncDispose]() {
      killsAtExit.delete(kill);
      if (hasEnded()) return;
      child.kill("SIGTERM");
      // Nothing here is worth waiting for: the data is thrown away.
      const timer = setTimeout(kill, 1_000);
      await ended;
      clearTimeout(timer);
    },
  };
}
