import { KirikaeError } from "../../src/core/diagnostics/error.ts";
import { emitRecord, type JournalRecord, parseRecord, type StoredRecord } from "../../src/engine/journal-record.ts";
import type { Journal } from "../../src/engine/journal.ts";

/** A journal in memory, written and read as the file is, whose disk can be full for some writes. */
export class ModelJournal implements Journal {
  readonly #texts: string[] = [];
  /** How many of the next writes fail. */
  failures = 0;
  /** Hears of each write when it is done, with how many there are. */
  onWritten: (count: number) => void = () => {};

  append(record: JournalRecord): number {
    if (this.failures > 0) {
      this.failures -= 1;
      throw new KirikaeError("KIR2023", "The disk is full.", { exitStatus: 3, hint: "Make room." });
    }
    this.#texts.push(emitRecord(record));
    this.onWritten(this.#texts.length);
    return this.#texts.length;
  }

  read(): readonly StoredRecord[] {
    return this.#texts.map((text, index) => ({ seq: index + 1, record: parseRecord(text, index + 1) }));
  }

  [Symbol.dispose](): void {}
}
