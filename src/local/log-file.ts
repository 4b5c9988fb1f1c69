import { openSync } from "node:fs";
import { copyFile, open, stat, truncate } from "node:fs/promises";
import { systemErrorCode } from "./system-error.ts";

/** Each log keeps at most this much, and as much again in `<file>.1`. */
const maxLogBytes = 8 * 1024 * 1024;

/** Opens a log for a child process, readable by its owner only. Appending keeps every write whole and at the end. */
export function openLogFile(path: string): number {
  return openSync(path, "a", 0o600);
}

/**
 * Moves what a log holds to `<file>.1` once it is larger than `maxBytes`. The writer keeps its descriptor (it may have
 * been started by an earlier kirikae), so the text is copied and the file cut to nothing; lines written in between,
 * a few milliseconds, are lost.
 */
export async function rotateLogFile(path: string, maxBytes: number = maxLogBytes): Promise<boolean> {
  try {
    if ((await stat(path)).size <= maxBytes) return false;
    await copyFile(path, `${path}.1`);
    await truncate(path, 0);
    return true;
  } catch (error) {
    // The user removed it; the writer goes on into the removed file, which is what was asked for.
    if (systemErrorCode(error) === "ENOENT") return false;
    throw error;
  }
}

/** The last lines of a log, for messages; empty when there is none. */
export async function readLogTail(path: string, options: { lines: number }): Promise<readonly string[]> {
  const maxBytes = 16 * 1024;
  try {
    await using file = await open(path, "r");
    const { size } = await file.stat();
    const start = Math.max(0, size - maxBytes);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(maxBytes), 0, maxBytes, start);
    const lines = buffer.subarray(0, bytesRead).toString("utf8").split("\n");
    return lines.filter((line) => line.trim() !== "").slice(-options.lines);
  } catch (error) {
    if (systemErrorCode(error) === "ENOENT") return [];
    throw error;
  }
}
