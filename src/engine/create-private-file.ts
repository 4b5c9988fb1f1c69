import { chmodSync, closeSync, openSync } from "node:fs";

/**
 * Makes sure that a file is there and closed to others (mode 0600), without opening one that is there: a process that
 * closes any descriptor of a file gives up all its POSIX locks on it, those that SQLite holds too (fcntl(2)).
 */
export function createPrivateFile(file: string): void {
  try {
    closeSync(openSync(file, "wx", 0o600));
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
  }
  // One from a copy or a careless umask is closed to others again; SQLite gives its side files the same mode.
  chmodSync(file, 0o600);
}
