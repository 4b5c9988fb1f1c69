import { type ChildProcess, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { delimiter, dirname } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { JudgeAnswer } from "../core/release/check/check-progress.ts";
import type { TemplateValues } from "../core/release/plan/fill-templates.ts";
import { launchVariable, observeProcess, stopProcess } from "../local/process-identity.ts";
import { oneLine } from "./one-line.ts";

export interface CommandOptions {
  /** The working directory. */
  readonly folder: string;
  readonly values: TemplateValues;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** `EX_TEMPFAIL` of sysexits(3). */
const noAnswer = 75;

/** What a program prints beyond this is read and thrown away, so that it does not wait for a reader. */
const mostBytes = 64 * 1024;

/** Between SIGTERM and SIGKILL, of a program that took too long. */
const graceMs = 500;

/** How long an ended program's last words are waited for. */
const lastWordsMs = 200;

/**
 * Runs a program without a shell, in a process group of its own, and stops what is left of the group when it has ended or
 * its time is over. Its environment is made for it: what else `up` was started with may hold secrets.
 */
export async function askCommand(command: readonly string[], options: CommandOptions): Promise<JudgeAnswer> {
  const { timeoutMs, signal } = options;
  const [file = "", ...args] = command;
  const launchId = randomUUID();
  const env = { ...environmentOf(options.values), [launchVariable]: launchId };
  const child = spawn(file, args, { cwd: options.folder, env, detached: true, stdio: ["ignore", "pipe", "pipe"] });
  const output = collectOutput(child);
  const ended = endOf(child);
  const pid = child.pid;
  if (pid === undefined) return { verdict: "unknown", detail: `the program cannot be run: ${oneLine(await ended)}` };
  const identity = observeProcess(pid) ?? { pid, startedAt: "" };
  const end = await Promise.race([ended, elapsed(timeoutMs, signal)]);
  await stopProcess(identity, { scope: "group", launchId, graceMs: signal.aborted ? 0 : graceMs });
  if (end === undefined) {
    output.close();
    return { verdict: "unknown", detail: `the program did not end within ${timeoutMs / 1_000} s` };
  }
  await Promise.race([output.closed, delay(lastWordsMs, undefined, { ref: false })]);
  output.close();
  return judgeEnd(end, output.text());
}

function judgeEnd(end: string, printed: string): JudgeAnswer {
  const last = oneLine(printed.trimEnd().split("\n").at(-1) ?? "");
  const detail = `the program ended with ${end}${last === "" ? "" : `: ${last}`}`;
  if (end === "0") return { verdict: "pass", detail };
  // A signal is not its own doing.
  return { verdict: end === String(noAnswer) || !/^\d+$/u.test(end) ? "unknown" : "fail", detail };
}

/** Its exit status, its signal, or why it could not be run. */
function endOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    child.once("error", (error) => resolve(error.message));
    child.once("exit", (status, signal) => resolve(signal ?? String(status ?? 0)));
  });
}

async function elapsed(timeoutMs: number, signal: AbortSignal): Promise<undefined> {
  // To be told to stop is one more way to be over.
  await delay(timeoutMs, undefined, { signal, ref: false }).catch(() => undefined);
}

interface CollectedOutput {
  readonly closed: Promise<void>;
  text(): string;
  /** What has left its process group may keep the pipes for ever. */
  close(): void;
}

function collectOutput(child: ChildProcess): CollectedOutput {
  const chunks: Buffer[] = [];
  let bytes = 0;
  const keep = (chunk: Buffer): void => {
    // The end of what it says is what it has come to.
    chunks.push(chunk);
    bytes += chunk.length;
    for (let first = chunks[0]; first !== undefined && bytes - first.length >= mostBytes; first = chunks[0]) {
      bytes -= first.length;
      chunks.shift();
    }
  };
  child.stdout?.on("data", keep);
  child.stderr?.on("data", keep);
  const closed = new Promise<void>((resolve) => {
    child.once("close", () => resolve());
  });
  const close = (): void => {
    child.stdout?.destroy();
    child.stderr?.destroy();
  };
  return { closed, close, text: () => Buffer.concat(chunks).toString("utf8") };
}

const inherited = ["HOME", "USER", "LOGNAME", "LANG", "LC_ALL", "TZ", "TMPDIR"];

/** The folder of this Node comes first, as for workloads, so that `node` is as modern as the one that runs kirikae. */
function environmentOf(values: TemplateValues): NodeJS.ProcessEnv {
  const kept = inherited.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]]));
  const told = Object.entries(values).map(([name, value]) => [`KIRIKAE_${name.toUpperCase()}`, value]);
  const path = [dirname(process.execPath), process.env["PATH"] ?? "/usr/bin:/bin"].join(delimiter);
  return { ...Object.fromEntries([...kept, ...told]), PATH: path };
}
