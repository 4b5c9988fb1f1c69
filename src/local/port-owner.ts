import { execFileSync } from "node:child_process";
import { readFileSync, readdirSync, readlinkSync } from "node:fs";
import { systemErrorCode } from "./system-error.ts";

export interface PortOwner {
  readonly pid: number;
  readonly command: string;
}

/** State `TCP_LISTEN` in /proc/net/tcp (proc(5)). */
const listenState = "0A";
/** State `TCP_ESTABLISHED`. */
const establishedState = "01";

/** Who listens on a TCP port of this machine; undefined when nobody does, or it is not for us to see. */
export function findPortOwner(port: number): PortOwner | undefined {
  if (process.platform !== "linux") return findOwnerByLsof(port);
  const inodes = listeningInodes(port);
  if (inodes.size === 0) return undefined;
  const pids = readdirSync("/proc").filter((name) => /^[0-9]+$/.test(name));
  const pid = pids.map(Number).find((candidate) => holdsInode(candidate, inodes));
  return pid === undefined ? undefined : { pid, command: commandOf(pid) };
}

/** Whether this process listens on the port. */
export function holdsPort(pid: number, port: number): boolean {
  if (process.platform !== "linux") return findOwnerByLsof(port)?.pid === pid;
  return holdsInode(pid, listeningInodes(port));
}

/** Whether somebody is connected to a port of this machine; false where it is not for us to see. */
export function hasConnections(port: number): boolean {
  if (process.platform !== "linux") return connectionsByLsof(port);
  return readSockets().some(({ state, localPort }) => state === establishedState && localPort === port);
}

function listeningInodes(port: number): ReadonlySet<string> {
  const listening = readSockets().filter(({ state, localPort }) => state === listenState && localPort === port);
  return new Set(listening.map(({ inode }) => inode));
}

interface SocketEntry {
  readonly state: string;
  readonly localPort: number;
  readonly inode: string;
}

function readSockets(): readonly SocketEntry[] {
  return ["/proc/net/tcp", "/proc/net/tcp6"].flatMap((file) =>
    readIfAllowed(file)
      .split("\n")
      .slice(1)
      .flatMap((line) => {
        const [, local, , state, , , , , , inode] = line.trim().split(/\s+/);
        if (state === undefined || inode === undefined) return [];
        return [{ state, localPort: Number.parseInt(local?.split(":")[1] ?? "", 16), inode }];
      }),
  );
}

function holdsInode(pid: number, inodes: ReadonlySet<string>): boolean {
  const folder = `/proc/${pid}/fd`;
  return ifAllowed([], () => readdirSync(folder)).some((fd) => {
    const target = ifAllowed("", () => readlinkSync(`${folder}/${fd}`));
    return inodes.has(/^socket:\[(\d+)\]$/.exec(target)?.[1] ?? "");
  });
}

function commandOf(pid: number): string {
  return readIfAllowed(`/proc/${pid}/comm`).trim() || "a process";
}

function readIfAllowed(path: string): string {
  return ifAllowed("", () => readFileSync(path, "utf8"));
}

/** Processes end while they are looked at, and those of others are closed to us. */
function ifAllowed<T>(otherwise: T, read: () => T): T {
  try {
    return read();
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === "ENOENT" || code === "ESRCH" || code === "EACCES" || code === "EPERM") return otherwise;
    throw error;
  }
}

/** `lsof -F` prints one field a line: `p<pid>`, `c<command>`. It is part of macOS, where there is no /proc. */
function findOwnerByLsof(port: number): PortOwner | undefined {
  try {
    const output = execFileSync("lsof", ["-nP", `-iTCP:${port}`, "-sTCP:LISTEN", "-Fpc"], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    });
    const pid = /^p(\d+)$/m.exec(output)?.[1];
    return pid === undefined ? undefined : { pid: Number(pid), command: /^c(.+)$/m.exec(output)?.[1] ?? "a process" };
  } catch (error) {
    // Status 1 says that nobody listens; without lsof nobody can be named.
    const isExpected = error instanceof Error && "status" in error && error.status === 1;
    if (isExpected || systemErrorCode(error) === "ENOENT") return undefined;
    throw error;
  }
}

function connectionsByLsof(port: number): boolean {
  try {
    const output = execFileSync("lsof", ["-nP", `-iTCP:${port}`, "-sTCP:ESTABLISHED", "-Fp"], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    });
    return output !== "";
  } catch (error) {
    // Status 1 says that there is none.
    const isExpected = error instanceof Error && "status" in error && error.status === 1;
    if (isExpected || systemErrorCode(error) === "ENOENT") return false;
    throw error;
  }
}
