import { execFileSync } from "node:child_process";
import { readFileSync, readdirSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { systemErrorCode } from "./system-error.ts";

/** A process that cannot be mistaken for a later one with the same number: pids are reused, start times are not. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Opaque: boot and clock ticks since it on Linux (proc(5), stat, field 22), a date on macOS. */
  readonly startedAt: string;
}

/** The environment variable that every process started by kirikae carries, and its children with it. */
export const launchVariable = "KIRIKAE_LAUNCH";

/** `group` is the process and those that it started, as long as they stayed in the process group that it leads. */
export type StopScope = "process" | "group";

export interface StopOptions {
  readonly scope: StopScope;
  /** The value of `KIRIKAE_LAUNCH`; tells members of the group from strangers once the leader is gone. */
  readonly launchId: string;
  /** Between SIGTERM and SIGKILL. */
  readonly graceMs: number;
}

interface ProcessEntry extends ProcessIdentity {
  readonly group: number;
}

const pollMs = 20;
/** A killed process is gone at once unless it hangs in the kernel, where nothing can be done about it. */
const killWaitMs = 5_000;

/** The process with this pid; undefined when there is none, or when it has ended and only waits to be reaped. */
export function observeProcess(pid: number): ProcessIdentity | undefined {
  return identityOf(process.platform === "linux" ? readProcEntry(pid) : readPsEntry(pid));
}

export function isRunning(identity: ProcessIdentity): boolean {
  return observeProcess(identity.pid)?.startedAt === identity.startedAt;
}

/** Whether the process, or for a group any process that it left behind, still runs. */
export function isAlive(identity: ProcessIdentity, options: Pick<StopOptions, "scope" | "launchId">): boolean {
  if (isRunning(identity)) return true;
  return options.scope === "group" && leftBehind(identity, options.launchId).length > 0;
}

/**
 * Finds the group leaders that carry a launch id in their environment: those that were started by a kirikae that died
 * before it could write down their pid.
 */
export function findLaunched(launchId: string): ProcessIdentity | undefined {
  return identityOf(listProcesses().find((entry) => entry.pid === entry.group && carriesLaunch(entry.pid, launchId)));
}

/**
 * Ends a process: SIGTERM, then SIGKILL after the grace. Nothing is sent to a pid whose start time differs.
 * @returns false when it still runs, which only a process that hangs in the kernel does.
 */
export async function stopProcess(identity: ProcessIdentity, options: StopOptions): Promise<boolean> {
  const isGone = watchEnd(identity, options);
  if (isGone()) return true;
  sendSignal(identity, "SIGTERM", options);
  if (await waitUntil(isGone, options.graceMs)) return true;
  sendSignal(identity, "SIGKILL", options);
  return waitUntil(isGone, killWaitMs);
}

/** A process that is ending has lost its environment already, so those that were seen once are known by identity. */
function watchEnd(identity: ProcessIdentity, options: StopOptions): () => boolean {
  const seen = new Map<number, ProcessIdentity>();
  return () => {
    // Looking through all processes is only worth its time once those that are known have ended.
    if ([...seen.values()].some(isRunning)) return false;
    for (const member of membersOf(identity, options)) seen.set(member.pid, member);
    return [...seen.values()].every((member) => !isRunning(member));
  };
}

function membersOf(identity: ProcessIdentity, options: StopOptions): readonly ProcessIdentity[] {
  const isLeaderRunning = isRunning(identity);
  if (options.scope === "process") return isLeaderRunning ? [identity] : [];
  if (!isLeaderRunning) return leftBehind(identity, options.launchId);
  return listProcesses().filter((entry) => entry.group === identity.pid);
}

function sendSignal(identity: ProcessIdentity, signal: NodeJS.Signals, options: StopOptions): void {
  if (!isAlive(identity, options)) return;
  try {
    process.kill(options.scope === "group" ? -identity.pid : identity.pid, signal);
  } catch (error) {
    // It ended between the look and the signal.
    if (systemErrorCode(error) !== "ESRCH") throw error;
  }
}

async function waitUntil(isMet: () => boolean, forMs: number): Promise<boolean> {
  const deadline = performance.now() + forMs;
  while (!isMet()) {
    if (performance.now() >= deadline) return false;
    await delay(pollMs);
  }
  return true;
}

/**
 * The members of a group whose leader has ended. The kernel gives the leader's pid to nobody while its group exists,
 * so a running process with that pid means that the group is gone.
 */
function leftBehind(leader: ProcessIdentity, launchId: string): readonly ProcessIdentity[] {
  if (observeProcess(leader.pid) !== undefined) return [];
  return listProcesses().filter((entry) => entry.group === leader.pid && carriesLaunch(entry.pid, launchId));
}

function identityOf(entry: ProcessEntry | undefined): ProcessIdentity | undefined {
  return entry === undefined ? undefined : { pid: entry.pid, startedAt: entry.startedAt };
}

function listProcesses(): readonly ProcessEntry[] {
  if (process.platform !== "linux") return listPsEntries();
  const pids = readdirSync("/proc").filter((name) => /^[0-9]+$/.test(name));
  return pids.map((pid) => readProcEntry(Number(pid))).filter((entry) => entry !== undefined);
}

/** proc(5): `pid (comm) state ppid pgrp ... starttime`; comm may hold spaces and brackets, so the last one counts. */
function readProcEntry(pid: number): ProcessEntry | undefined {
  const text = readIfRunning(`/proc/${pid}/stat`);
  if (text === undefined) return undefined;
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  const [state, , group] = fields;
  const ticks = fields[19];
  if (state === undefined || group === undefined || ticks === undefined) return undefined;
  if (state === "Z" || state === "X") return undefined;
  return { pid, group: Number(group), startedAt: `${bootId()}/${ticks}` };
}

let knownBootId: string | undefined;

/** Start times count from the boot, so that after another boot the same pair could come again. */
function bootId(): string {
  knownBootId ??= readIfRunning("/proc/sys/kernel/random/boot_id")?.trim() ?? "unknown";
  return knownBootId;
}

function carriesLaunch(pid: number, launchId: string): boolean {
  if (process.platform !== "linux") {
    return runPs(["-E", "-ww", "-o", "command=", "-p", String(pid)]).includes(`${launchVariable}=${launchId}`);
  }
  return (readIfRunning(`/proc/${pid}/environ`) ?? "").split("\0").includes(`${launchVariable}=${launchId}`);
}

function readIfRunning(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    // Gone meanwhile (ENOENT, ESRCH), or another user's (EACCES, EPERM): in both cases none of ours.
    const code = systemErrorCode(error);
    if (code === "ENOENT" || code === "ESRCH" || code === "EACCES" || code === "EPERM") return undefined;
    throw error;
  }
}

const psFormat = ["-o", "pid=,pgid=,stat=,lstart="];

function readPsEntry(pid: number): ProcessEntry | undefined {
  return parsePsLine(runPs([...psFormat, "-p", String(pid)]));
}

function listPsEntries(): readonly ProcessEntry[] {
  const lines = runPs(["-A", ...psFormat]).split("\n");
  return lines.map(parsePsLine).filter((entry) => entry !== undefined);
}

function parsePsLine(line: string): ProcessEntry | undefined {
  const found = /^\s*(\d+)\s+(\d+)\s+(\S+)\s+(.+?)\s*$/.exec(line);
  if (found === null) return undefined;
  const [, pid, group, state, startedAt] = found;
  if (startedAt === undefined || state?.startsWith("Z") === true) return undefined;
  return { pid: Number(pid), group: Number(group), startedAt };
}

/** `ps` ends with status 1 when it selects nothing. */
function runPs(args: readonly string[]): string {
  try {
    return execFileSync("ps", args, { encoding: "utf8", env: { PATH: "/bin:/usr/bin", LC_ALL: "C" } });
  } catch (error) {
    if (error instanceof Error && "status" in error && error.status === 1) return "";
    throw error;
  }
}
