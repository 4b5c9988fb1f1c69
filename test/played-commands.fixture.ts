import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach } from "vitest";
import { startApi, type RunningApi } from "../src/api/server.ts";
import { FakeBackend } from "./api/fake-backend.ts";

const bin = fileURLToPath(new URL("../bin/kirikae.js", import.meta.url));

interface Ended {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

interface Started {
  readonly child: ChildProcessWithoutNullStreams;
  readonly ended: Promise<Ended>;
}

/** Commands as processes, which find an API before a played backend once `startUp` was called. */
class PlayedCommands {
  readonly folder: string;
  readonly backend = new FakeBackend();
  #api: RunningApi | undefined;

  constructor(folder: string) {
    this.folder = folder;
  }

  async startUp(): Promise<RunningApi> {
    const files = { tokenFile: join(this.folder, "token"), addressFile: join(this.folder, "api.json") };
    this.#api = await startApi(this.backend, files);
    return this.#api;
  }

  async stop(): Promise<void> {
    await this.#api?.[Symbol.asyncDispose]();
  }

  start(args: readonly string[], env: NodeJS.ProcessEnv = {}): Started {
    const neutral = {
      NO_COLOR: undefined,
      FORCE_COLOR: undefined,
      KIRIKAE_ENVOY: undefined,
      KIRIKAE_STATE: this.folder,
    };
    const child = spawn(process.execPath, [bin, ...args], { env: { ...process.env, ...neutral, ...env } });
    const ended = Promise.all([
      new Promise<number | null>((resolve) => {
        child.once("close", (status) => resolve(status));
      }),
      // A test may close its end early.
      text(child.stdout).catch(() => ""),
      text(child.stderr),
    ]).then(([status, stdout, stderr]): Ended => ({ status, stdout, stderr }));
    return { child, ended };
  }

  /** With nothing on its standard input. */
  run(args: readonly string[], env?: NodeJS.ProcessEnv): Promise<Ended> {
    const { child, ended } = this.start(args, env);
    child.stdin.end();
    return ended;
  }
}

/** One for each test of the file, with a state folder of its own. */
export function playCommands(): () => PlayedCommands {
  let played: PlayedCommands | undefined;
  const current = (): PlayedCommands => {
    if (played === undefined) throw new Error("No test runs.");
    return played;
  };
  beforeEach(async () => {
    played = new PlayedCommands(await mkdtemp(join(tmpdir(), "kirikae-cli-")));
  });
  afterEach(async () => {
    await current().stop();
    await rm(current().folder, { recursive: true, force: true });
  });
  return current;
}
