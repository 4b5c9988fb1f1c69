import { existsSync } from "node:fs";
import { KirikaeError } from "../../core/diagnostics/error.ts";
import { type Journal, readJournal } from "../../engine/journal.ts";

/** What was written down so far, for commands that change nothing: others may write meanwhile. */
export function openJournalToRead(file: string): Journal {
  const records = existsSync(file) ? readJournal(file) : [];
  return {
    read: () => records,
    append() {
      throw new KirikaeError("KIR2023", "The journal was opened to be read.", { exitStatus: 3 });
    },
    [Symbol.dispose]() {},
  };
}
