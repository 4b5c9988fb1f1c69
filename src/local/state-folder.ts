import { createHash, randomBytes } from "node:crypto";
import { chmod, lstat, mkdir, readFile, readdir, rename, stat, writeFile } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import { basename, dirname, isAbsolute, join, resolve } from "node:path";
import { KirikaeError } from "../core/diagnostics/error.ts";
import { errorText } from "../core/diagnostics/error-text.ts";
import { systemErrorCode } from "./system-error.ts";

/** Where everything that outlives one run is kept. Only its owner can enter it. */
export interface StateFolder extends StatePaths {
  /** The path of a Unix socket, short enough for `sun_path`. Names are file names of at most 24 bytes. */
  socket(name: string): string;
}

export interface StatePaths {
  readonly path: string;
  /** SQLite: moves, their intents and outcomes. */
  readonly journal: string;
  /** SQLite, held exclusively by the one writer. */
  readonly lock: string;
  /** Who holds the lock, for messages. */
  readonly lockOwner: string;
  /** The API's secret, mode 0600. */
  readonly token: string;
  /** Where the running API listens. */
  readonly apiAddress: string;
  /** What the running Envoy was started with. */
  readonly bootstrap: string;
  /** The processes that were started and may still run. */
  readonly processes: string;
  /** Where the listeners of workloads are on this machine. */
  readonly sidecarPorts: string;
  readonly logs: string;
}

const formatVersion = "1";
const formatFile = "kirikae-state";
const socketRecordFile = "sockets.path";

/** `sun_path` holds 104 bytes on macOS and 108 on Linux, the closing zero included. */
const maxSocketPathBytes = 103;
const maxSocketNameBytes = 24;

/**
 * Names the state folder without touching it: `KIRIKAE_STATE`, else `$XDG_STATE_HOME/kirikae`, else
 * `~/.local/state/kirikae` (XDG Base Directory Specification: a relative XDG path is ignored).
 */
export function locateStateFolder(env: NodeJS.ProcessEnv): StatePaths {
  const path = statePath(env);
  return {
    path,
    journal: join(path, "journal.sqlite"),
    lock: join(path, "lock.sqlite"),
    lockOwner: join(path, "lock-owner.json"),
    token: join(path, "token"),
    apiAddress: join(path, "api.json"),
    bootstrap: join(path, "bootstrap.json"),
    processes: join(path, "processes.json"),
    sidecarPorts: join(path, "sidecar-ports.json"),
    logs: join(path, "logs"),
  };
}

/**
 * Opens the state folder, and makes it (0700) where it is absent.
 * @throws KirikaeError KIR5002 when it belongs to someone else, is open to others, or was written by a newer kirikae.
 */
export async function openStateFolder(env: NodeJS.ProcessEnv): Promise<StateFolder> {
  const paths = locateStateFolder(env);
  await makePrivateFolder(paths.path);
  await checkFormat(paths.path);
  await makePrivateFolder(paths.logs);
  const sockets = await openSocketFolder(paths.path);
  return {
    ...paths,
    socket(name) {
      if (Buffer.byteLength(name) > maxSocketNameBytes || name !== basename(name)) {
        throw new RangeError(`socket name ${JSON.stringify(name)} is not a file name of at most 24 bytes`);
      }
      return join(sockets, name);
    },
  };
}

/** Writes a file that only the owner can read, complete or not at all. */
export async function writePrivateFile(path: string, content: string | Uint8Array): Promise<void> {
  const draft = `${path}.${process.pid}.${randomBytes(4).toString("hex")}`;
  await writeFile(draft, content, { mode: 0o600, flag: "wx" });
  await rename(draft, path);
}

function statePath(env: NodeJS.ProcessEnv): string {
  const chosen = env["KIRIKAE_STATE"];
  if (chosen !== undefined && chosen !== "") return resolve(chosen);
  const xdg = env["XDG_STATE_HOME"];
  if (xdg !== undefined && isAbsolute(xdg)) return join(xdg, "kirikae");
  return join(env["HOME"] ?? homedir(), ".local", "state", "kirikae");
}

async function makePrivateFolder(path: string): Promise<void> {
  try {
    await makeFolders(path);
  } catch (error) {
    throw stateError(`The state folder ${path} cannot be made: ${errorText(error)}.`, { cause: error });
  }
  const found = await stat(path);
  if (!found.isDirectory()) throw stateError(`${path} is not a folder.`);
  const user = process.getuid?.();
  if (user === undefined) return;
  if (found.uid !== user) throw stateError(`The state folder ${path} belongs to another user (uid ${found.uid}).`);
  if ((found.mode & 0o077) === 0) return;
  if (!(await isOursToClose(path))) {
    const mode = (found.mode & 0o777).toString(8);
    throw stateError(`The folder ${path} is open to other users (mode ${mode}) and holds other files.`, {
      hint: `Run \`chmod 700 ${path}\`, or let KIRIKAE_STATE name a folder of its own.`,
    });
  }
  await chmod(path, 0o700);
}

/** `mkdir` with `recursive` never ends where the kernel answers ENOENT for a folder that cannot be, as under /proc. */
async function makeFolders(path: string): Promise<void> {
  if ((await tryMakeFolder(path)) === "made") return;
  const parent = dirname(path);
  if (parent !== path) await makeFolders(parent);
  if ((await tryMakeFolder(path)) === "no parent") throw new Error(`${parent} takes no folders`);
}

async function tryMakeFolder(path: string): Promise<"made" | "no parent"> {
  try {
    await mkdir(path, { mode: 0o700 });
  } catch (error) {
    if (systemErrorCode(error) === "ENOENT") return "no parent";
    if (systemErrorCode(error) !== "EEXIST") throw error;
  }
  return "made";
}

/** An empty folder, or one that kirikae wrote, can be closed without taking anything from anybody. */
async function isOursToClose(path: string): Promise<boolean> {
  const names = await readdir(path);
  return names.length === 0 || names.includes(formatFile) || basename(path) === "logs";
}

async function checkFormat(path: string): Promise<void> {
  const file = join(path, formatFile);
  const found = await readIfPresent(file);
  if (found === undefined) await writePrivateFile(file, `${formatVersion}\n`);
  else if (Number(found) > Number(formatVersion)) {
    throw stateError(`The state folder ${path} was written by a newer kirikae (format ${found.trim()}).`, {
      hint: "Use that version, or let KIRIKAE_STATE name another folder.",
    });
  }
}

/**
 * Sockets live in the state folder, unless its path is too long for them: then in a private folder under the system's
 * temporary one. Which one is recorded, because the temporary folder's name can differ between two runs (TMPDIR).
 */
async function openSocketFolder(statePath: string): Promise<string> {
  const inside = join(statePath, "sockets");
  if (fits(inside)) {
    await mkdir(inside, { recursive: true, mode: 0o700 });
    return inside;
  }
  const record = join(statePath, socketRecordFile);
  const recorded = (await readIfPresent(record))?.trim();
  if (recorded !== undefined && fits(recorded) && (await claimFolder(recorded))) return recorded;
  const hash = createHash("sha256").update(statePath).digest("hex").slice(0, 16);
  for (const parent of new Set([tmpdir(), "/tmp"])) {
    // The second name is for the case that somebody took the first one, which anybody can compute.
    for (const name of [`kirikae-${hash}`, `kirikae-${randomBytes(8).toString("hex")}`]) {
      const path = join(parent, name);
      if (!fits(path) || !(await claimFolder(path))) continue;
      await writePrivateFile(record, `${path}\n`);
      return path;
    }
  }
  throw stateError(`The path of the state folder ${statePath} is too long for Unix sockets.`, {
    hint: "Let KIRIKAE_STATE name a folder with a path of at most 70 bytes.",
  });
}

/** Makes the folder, or accepts it when it is ours and closed to others; a link is never followed. */
async function claimFolder(path: string): Promise<boolean> {
  try {
    await mkdir(path, { mode: 0o700 });
    return true;
  } catch (error) {
    if (systemErrorCode(error) !== "EEXIST") {
      if (systemErrorCode(error) === "ENOENT" || systemErrorCode(error) === "EACCES") return false;
      throw error;
    }
  }
  const found = await lstat(path);
  return found.isDirectory() && found.uid === process.getuid?.() && (found.mode & 0o077) === 0;
}

function fits(folder: string): boolean {
  return Buffer.byteLength(folder) + 1 + maxSocketNameBytes <= maxSocketPathBytes;
}

async function readIfPresent(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if (systemErrorCode(error) === "ENOENT") return undefined;
    throw stateError(`${path} cannot be read: ${errorText(error)}.`, { cause: error });
  }
}

function stateError(message: string, detail: { hint?: string; cause?: unknown } = {}): KirikaeError {
  return new KirikaeError("KIR5002", message, {
    exitStatus: 3,
    hint: detail.hint ?? "Let KIRIKAE_STATE name a folder that belongs to you.",
    cause: detail.cause,
  });
}
