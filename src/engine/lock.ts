import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { KirikaeError } from "../core/diagnostics/error.ts";
import { createPrivateFile } from "./create-private-file.ts";

export interface LockOptions {
  /** The SQLite file whose lock it is. */
  readonly lockFile: string;
  /** The file beside it that says who holds it. */
  readonly ownerFile: string;
  readonly owner: LockOwner;
}

/** Who holds the lock: for messages only, the lock itself is the kernel's. */
export interface LockOwner {
  readonly pid: number;
  /** ISO 8601. */
  readonly since: string;
  /** The folder of manifests that it runs. */
  readonly folder: string;
}

/**
 * Makes this process the one writer of a state folder, or throws KIR2022 naming the other one. The lock is an open
 * exclusive transaction: the kernel frees it on any death, so there are no stale locks to break.
 */
export function acquireLock({ lockFile, ownerFile, owner }: LockOptions): Disposable {
  createPrivateFile(lockFile);
  const database = new DatabaseSync(lockFile, { timeout: 0 });
  try {
    database.exec("BEGIN EXCLUSIVE");
  } catch (error) {
    database.close();
    throw isBusy(error) ? heldByOther(readLockOwner(ownerFile), error) : error;
  }
  writeOwner(ownerFile, owner);
  return {
    [Symbol.dispose](): void {
      if (database.isOpen) database.close();
    },
  };
}

/** Who wrote the owner file last; undefined when there is none or it is not readable as one. */
export function readLockOwner(ownerFile: string): LockOwner | undefined {
  let text: string;
  try {
    text = readFileSync(ownerFile, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
  return parseOwner(text);
}

function parseOwner(text: string): LockOwner | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== "object" || value === null) return undefined;
    if (!("pid" in value) || !("since" in value) || !("folder" in value)) return undefined;
    const { pid, since, folder } = value;
    if (typeof pid !== "number" || typeof since !== "string" || typeof folder !== "string") return undefined;
    return { pid, since, folder };
  } catch (error) {
    // The file only decorates a message: one that was cut short by a power loss says nothing.
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** A rename, so that a reader never sees half of it. */
function writeOwner(ownerFile: string, owner: LockOwner): void {
  const draft = `${ownerFile}.${owner.pid}.new`;
  writeFileSync(draft, `${JSON.stringify(owner)}\n`, { mode: 0o600 });
  renameSync(draft, ownerFile);
}

/** SQLITE_BUSY: sqlite.org/rescode.html. */
function isBusy(error: unknown): boolean {
  return error instanceof Error && "errcode" in error && error.errcode === 5;
}

function heldByOther(owner: LockOwner | undefined, cause: unknown): KirikaeError {
  const who =
    owner === undefined ? "Another process" : `Process ${owner.pid}, running ${owner.folder} since ${owner.since},`;
  return new KirikaeError("KIR2022", `${who} owns this state folder.`, {
    exitStatus: 3,
    hint: "Use it, stop it with Ctrl-C, or set KIRIKAE_STATE to another folder for a second one.",
    details: owner === undefined ? {} : { ...owner },
    cause,
  });
}
