import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { text } from "node:stream/consumers";
import type { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { FakeBackend } from "../../../test/api/fake-backend.ts";
import { sampleLive, sampleRelease, sampleStartMs } from "../../../test/api/sample-release.ts";
import { startApi, type RunningApi } from "../../api/server.ts";

// Each test starts several processes.
vi.setConfig({ testTimeout: 30_000 });

const bin = fileURLToPath(new URL("../../../bin/kirikae.js", import.meta.url));

let folder: string;
let backend: FakeBackend;
let api: RunningApi | undefined;
let children: ChildProcess[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "kirikae-watch-"));
  backend = new FakeBackend();
  children = [];
});

afterEach(async () => {
  for (const child of children) child.kill("SIGKILL");
  await api?.[Symbol.asyncDispose]();
  api = undefined;
  await rm(folder, { recursive: true, force: true });
});

async function startUp(): Promise<RunningApi> {
  api = await startApi(backend, { tokenFile: join(folder, "token"), addressFile: join(folder, "api.json") });
  return api;
}

interface Ended {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function start(args: readonly string[]) {
  const neutral = { NO_COLOR: undefined, FORCE_COLOR: undefined, KIRIKAE_STATE: folder };
  const child = spawn(process.execPath, [bin, ...args], { env: { ...process.env, ...neutral } });
  children.push(child);
  const ended = Promise.all([
    new Promise<number | null>((resolve) => {
      child.once("close", (status) => resolve(status));
    }),
    text(child.stdout),
    text(child.stderr),
  ]).then(([status, stdout, stderr]): Ended => ({ status, stdout, stderr }));
  return { child, ended };
}

function run(args: readonly string[]): Promise<Ended> {
  return start(args).ended;
}

/** Resolves with the first line, from the beginning, that holds a text. */
function waitFor(stream: Readable): (wanted: string) => Promise<string> {
  const lines: string[] = [];
  const waiting = new Set<() => void>();
  createInterface({ input: stream }).on("line", (line) => {
    lines.push(line);
    for (const look of waiting) look();
  });
  return (wanted) =>
    new Promise((resolve) => {
      const look = (): void => {
        const found = lines.find((line) => line.includes(wanted));
        if (found === undefined) return;
        waiting.delete(look);
        resolve(found);
      };
      waiting.add(look);
      look();
    });
}

test("--watch in a pipe is a line a second and for each change, until Ctrl-C", async () => {
  await startUp();
  backend.releases.all = [sampleRelease()];
  backend.releases.live = sampleLive(10);
  const { child, ended } = start(["status", "--watch"]);
  const emitting = setInterval(() => backend.emit({ event: "sample", sample: backend.sampleAt(1_000) }), 20);
  let seen = "";
  child.stdout.on("data", (chunk: Buffer) => {
    seen += chunk.toString();
    if (/errors 0\.0\/s/u.test(seen)) child.kill("SIGINT");
  });
  const { status, stdout, stderr } = await ended;
  clearInterval(emitting);
  expect({ status, stderr }).toEqual({ status: 130, stderr: "" });
  const lines = stdout.split("\n");
  expect(lines).toContain(
    "1970-01-01T00:00:01.000Z sample-ns/sample-app blue 50.0/s errors 0.0/s green 0.0/s errors 0.0/s",
  );
  expect(lines).toContain("2026-11-21T10:00:01Z sample-ns/to-green weights moved and proved");
  // oxlint-disable-next-line no-control-regex -- what a pipe must never get.
  expect(stdout).not.toMatch(/\u001B/u);
});

test("--watch tells of each event of a release, and how one ends", async () => {
  await startUp();
  backend.releases.all = [sampleRelease()];
  const { child, ended } = start(["status", "to-green", "--watch"]);
  const printed = waitFor(child.stdout);
  await printed("is holding");
  const lastEvent = { kind: "moved", atMs: sampleStartMs + 60_000, failed: 0, move: "m2" } as const;
  const done = sampleRelease({ phase: "done", step: null, message: "done", untilMs: null, lastEvent });
  backend.releases.all = [done];
  backend.emit({ event: "release", release: done });
  await printed("2026-11-21T10:01:00Z sample-ns/to-green is done");
  child.kill("SIGTERM");
  expect(await ended).toMatchObject({ status: 143 });
});

test("--watch says that up has ended, and goes on with the next", async () => {
  const running = await startUp();
  const { child, ended } = start(["status", "--watch", "--json"]);
  const [documents, notes] = [waitFor(child.stdout), waitFor(child.stderr)];
  expect(JSON.parse(await documents("services"))).toMatchObject({ releases: [] });
  await running[Symbol.asyncDispose]();
  await notes("has ended; waiting for it to start again");
  backend.releases.all = [sampleRelease()];
  await startUp();
  await documents("to-green");
  child.kill("SIGINT");
  expect(await ended).toMatchObject({ status: 130, stderr: expect.stringContaining("has started again") });
});

test("shows a release under what it moves, and one that is over by its name", async () => {
  await startUp();
  backend.releases.all = [sampleRelease()];
  backend.releases.live = sampleLive(10);
  expect((await run(["status"])).stdout).toContain(
    "  Release  sample-ns/to-green to green: holding, step 2 of 4\n  ├─ done     1 weight: green 10 %, blue 90 %",
  );
  expect(backend.releases.looks.at(-1)).toEqual(["r1"]);
  const named = JSON.parse((await run(["status", "to-green", "--json"])).stdout);
  expect(named.services).toEqual([expect.objectContaining({ virtualService: "sample-ns/sample-app" })]);
  expect(named.releases).toEqual([expect.objectContaining({ id: "r1", live: sampleLive(10) })]);
  expect(named.releases[0]).not.toHaveProperty("plan");
  backend.releases.all = [sampleRelease({ phase: "done", step: null, message: "done", untilMs: null })];
  expect((await run(["status"])).stdout).not.toContain("Release");
  expect((await run(["status", "to-green"])).stdout).toContain("Release  sample-ns/to-green to green: done");
});
