import { selectHistory } from "../engine/engine.ts";
import { foldJournal } from "../engine/fold-journal.ts";
import { readJournal } from "../engine/journal.ts";
import type { HistoryEntry } from "../engine/report.ts";
import { locateStateFolder } from "../local/state-folder.ts";

/** The moves that the journal knows of, oldest first, read beside a running `up` or without one. */
export function readHistory(env: NodeJS.ProcessEnv, name: string | undefined): readonly HistoryEntry[] {
  const records = readJournal(locateStateFolder(env).journal);
  return selectHistory(foldJournal(records).history, name);
}
