import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { FakeBackend } from "../../../test/api/fake-backend.ts";
import { sampleLive, sampleRelease, sampleStartMs } from "../../../test/api/sample-release.ts";
import { startApi, type RunningApi } from "../../api/server.ts";
import { summarizeRelease } from "../../api/summarize-release.ts";
import type { CommandContext } from "../command.ts";
import { openTerminal } from "../terminal.ts";
import { runWait } from "./run-wait.ts";
import { watchStatus } from "./watch-status.ts";

let folder: string;
let backend: FakeBackend;
let api: RunningApi;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "kirikae-terminal-"));
  backend = new FakeBackend();
  backend.releases.all = [sampleRelease()];
  backend.releases.live = sampleLive(10);
  api = await startApi(backend, { tokenFile: join(folder, "token"), addressFile: join(folder, "api.json") });
});

afterEach(async () => {
  await api[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

/** A command in a window of this many columns, and what it has written so far. */
function openWindow(columns: number, env: NodeJS.ProcessEnv = {}) {
  const stdout = Object.assign(new PassThrough(), { isTTY: true, rows: 60, columns });
  const stderr = Object.assign(new PassThrough(), { isTTY: true });
  const written = { stdout: "", stderr: "", exitStatus: undefined as number | undefined };
  stdout.on("data", (chunk: Buffer) => {
    written.stdout += chunk.toString();
  });
  stderr.on("data", (chunk: Buffer) => {
    written.stderr += chunk.toString();
  });
  const stops = new Set<(signal: NodeJS.Signals) => void>();
  const streams = { stdout, stderr, env };
  const context: CommandContext = {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the parts of a process that a terminal uses.
    terminal: openTerminal(streams as unknown as Parameters<typeof openTerminal>[0]),
    env: { KIRIKAE_STATE: folder },
    version: "0",
    input: new PassThrough(),
    finish: (exitStatus) => {
      written.exitStatus = exitStatus;
    },
    onStop: (stop) => {
      stops.add(stop);
      return { [Symbol.dispose]: () => void stops.delete(stop) };
    },
  };
  return { context, written, press: (signal: NodeJS.Signals) => stops.forEach((stop) => stop(signal)) };
}

test("the tree is drawn once, then only what changes, and Ctrl-C ends it with 130", async () => {
  const { context, written, press } = openWindow(100);
  const watching = watchStatus(context, { name: "sample-app", options: {} });
  await vi.waitFor(() => expect(written.stdout).toContain("observed blue 90 %, green 10 %"));
  const first = written.stdout.length;
  backend.releases.live = sampleLive(50);
  backend.emit({ event: "sample", sample: backend.sampleAt(Date.now()) });
  await vi.waitFor(() => expect(written.stdout).toContain("NOT AS WANTED"));
  expect(written.stdout.slice(first)).not.toContain("Gateways");
  const done = sampleRelease({ phase: "done", step: null, message: "done", untilMs: null });
  backend.releases.all = [done];
  backend.emit({ event: "release", release: summarizeRelease(done) });
  // How it ended stays to be seen.
  await vi.waitFor(() => expect(written.stdout).toMatch(/to-green to .*green.*: .*done/u));
  press("SIGINT");
  await watching;
  expect(written.exitStatus).toBe(130);
});

test("a narrow window without colours shows no line that is wider, and no colour", async () => {
  const { context, written, press } = openWindow(40, { NO_COLOR: "1" });
  const watching = watchStatus(context, { name: "to-green", options: {} });
  await vi.waitFor(() => expect(written.stdout).toContain("└─ last"));
  press("SIGTERM");
  await watching;
  expect(written.exitStatus).toBe(143);
  const escape = String.fromCodePoint(0x1b);
  expect(written.stdout).not.toMatch(new RegExp(`${escape}\\[\\d+m`, "u"));
  expect(written.stdout).toContain("holding, step 2 of 4");
  const lines = written.stdout.split(new RegExp(`${escape}\\[[?\\d;]*[A-Za-z]`, "u"));
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(40);
});

test("waiting tells of each change beside the answer, and leaves the proxies alone", async () => {
  const { context, written } = openWindow(100);
  const waiting = runWait(context, "to-green", { for: "done", timeout: 20_000 });
  await vi.waitFor(() => expect(written.stderr).toContain("sample-ns/to-green is holding, step 2 of 4"));
  const lastEvent = { kind: "timeUp", atMs: sampleStartMs + 600_000 } as const;
  backend.releases.all = [sampleRelease({ phase: "done", step: null, message: "done", untilMs: null, lastEvent })];
  await waiting;
  expect(written.stderr).toContain("sample-ns/to-green is done");
  expect(written.stdout).toMatch(/Release.*done/u);
  expect(written.exitStatus).toBe(0);
  expect(backend.releases.looks).toEqual([]);
});

test("a time that is over is no failure of the release, and scripts can tell them apart", async () => {
  const over = openWindow(100);
  await runWait(over.context, "to-green", { for: "done", timeout: 0 });
  expect(over.written.exitStatus).toBe(4);
  backend.releases.all = [sampleRelease({ phase: "rolledBack", message: "rolled back", untilMs: null })];
  const ended = openWindow(100);
  await runWait(ended.context, "to-green", { for: "done", timeout: 0 });
  expect(ended.written.exitStatus).toBe(1);
});
