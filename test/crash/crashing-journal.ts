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

/** A real journal that kills its process right before or right after one of its writes. */
export function crashingJournal(journal: Journal, point: JournalCrashPoint): Journal {
  let writes = 0;
  return {
    append(record: JournalRecord): number {
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
