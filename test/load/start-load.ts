import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { readClock } from "./load-clock.ts";
import { assertBounded, type LoadOptions, type LoadTarget, type RequestShape } from "./load-options.ts";
import type { FinishedEvent } from "./load-process.ts";
import { readRecords, type LoadRecord } from "./load-records.ts";

export interface LoadRequest {
  /** `127.0.0.1:8080`, or a path that begins with a slash for a Unix socket. */
  readonly address: string;
  readonly requests: readonly Partial<RequestShape>[];
  readonly durationMs: number;
  readonly requestsPerSecond?: number;
  readonly connections?: number;
  readonly newConnectionShare?: number;
  readonly requestTimeoutMs?: number;
  readonly versionHeader?: string;
  /** What starts it in a network namespace of its own, where 127.0.0.1 is another. */
  readonly enter?: readonly string[];
}

interface LoadResult {
  readonly records: readonly LoadRecord[];
  readonly finished: FinishedEvent;
}

export interface RunningLoad extends AsyncDisposable {
  readonly startedAtMs: number;
  /** Ends the load, waits for the answers still to come, and reads what was recorded. Later calls return the same. */
  stop(): Promise<LoadResult>;
  /** Waits until the load ends by itself. */
  readonly result: Promise<LoadResult>;
}

/** Starts the load generator as a process of its own and returns once it sends. */
export async function startLoad(request: LoadRequest): Promise<RunningLoad> {
  const folder = await mkdtemp(join(tmpdir(), "kirikae-load-"));
  const options = loadOptions(request, join(folder, "records"));
  assertBounded(options);
  const command = [...(request.enter ?? []), process.execPath, processFile, JSON.stringify(options)];
  const [path, ...args] = command;
  const child = spawn(path ?? process.execPath, args, { stdio: ["pipe", "pipe", "inherit"] });
  const exited = once(child, "exit");
  // Ending stdin is how the load is stopped; it may have ended on its own by then.
  child.stdin.on("error", () => undefined);
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const started = await nextEvent<{ readonly event: "started"; readonly atMs: number }>(lines);
  const result = collect();
  // A test that stops the load reads the failure there; without this an early one would count as unhandled.
  result.catch(() => undefined);

  async function collect(): Promise<LoadResult> {
    try {
      const finished = await nextEvent<FinishedEvent>(lines);
      await exited;
      return { finished, records: readRecords(options.recordFile, finished) };
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }

  const stop = (): Promise<LoadResult> => {
    child.stdin.end();
    return result;
  };
  return {
    startedAtMs: started.atMs,
    result,
    stop,
    async [Symbol.asyncDispose]() {
      child.stdin.end();
      await exited;
    },
  };
}

const processFile = fileURLToPath(new URL("load-process.ts", import.meta.url));

function loadOptions(request: LoadRequest, recordFile: string): LoadOptions {
  const requestsPerSecond = request.requestsPerSecond ?? 3_000;
  return {
    target: targetOf(request.address),
    requests: request.requests.map((shape) => ({
      name: "get",
      path: "/",
      host: "localhost",
      headers: {},
      share: 1,
      ...shape,
    })),
    requestsPerSecond,
    connections: request.connections ?? 64,
    newConnectionShare: request.newConnectionShare ?? 0,
    durationMs: request.durationMs,
    maxRequests: Math.ceil((request.durationMs * requestsPerSecond) / 1_000) + 1,
    requestTimeoutMs: request.requestTimeoutMs ?? 10_000,
    versionHeader: request.versionHeader ?? "x-color",
    recordFile,
    clock: readClock(),
  };
}

function targetOf(address: string): LoadTarget {
  if (address.startsWith("/")) return { kind: "unix", path: address };
  const [host = "", port] = address.split(":");
  return { kind: "tcp", address: host, port: Number(port) };
}

async function nextEvent<Event>(lines: AsyncIterator<string>): Promise<Event> {
  const line = await lines.next();
  if (line.done === true) throw new Error("The load process ended without a result.");
  const event: Event = JSON.parse(line.value);
  return event;
}
