import { existsSync, readFileSync, rmSync } from "node:fs";
import type { JournalRecord, StoredRecord } from "../../src/engine/journal-record.ts";
import type { Journal } from "../../src/engine/journal.ts";

/** One moment around one write, counted from 1 over the life of the process. */
export interface JournalCrashPoint {
  readonly write: number;
  readonly when: "before" | "after";
}

/** Dies as `kill -9` does: no handler runs, nothing is flushed. It does not return. */
export function dieNow(): never {
  process.kill(process.pid, "SIGKILL");
  // The signal is delivered at once, but the call may return first.
  for (;;) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1_000);
}

/** Reads `3:before`, the form in which a crash point is handed to a child process. */
export function parseJournalCrashPoint(text: string): JournalCrashPoint {
  const [write, when] = text.split(":");
  if (when !== "before" && when !== "after") throw new Error(`${text} is no crash point.`);
  return { write: Number(write), when };
}

/** Looks for a point in a file before each write, and takes it away: writes count from there, the one that follows first. */
export function pointInFile(file: string): () => JournalCrashPoint | undefined {
  return () => {
    if (!existsSync(file)) return undefined;
    const point = parseJournalCrashPoint(readFileSync(file, "utf8"));
    rmSync(file);
    return point;
  };
}

/** A real journal that kills its process right before or right after one of its writes. */
export function crashingJournal(
  journal: Journal,
  given: JournalCrashPoint | (() => JournalCrashPoint | undefined),
): Journal {
  let writes = 0;
  let point: JournalCrashPoint = { write: 0, when: "before" };
  if (typeof given !== "function") point = given;
  return {
    append(record: JournalRecord): number {
      const next = typeof given === "function" ? given() : undefined;
      if (next !== undefined) {
        point = next;
        writes = 0;
      }
      writes += 1;
      if (writes === point.write && point.when === "before") dieNow();
      const seq = journal.append(record);
      if (writes === point.write && point.when === "after") dieNow();
      return seq;
    },
    read(): readonly StoredRecord[] {
      return journal.read();
    },
    [Symbol.dispose](): void {
      journal[Symbol.dispose]();
    },
  };
}
