import type { JournalRecord, StoredRecord } from "../src/engine/journal-record.ts";
import type { Journal } from "../src/engine/journal.ts";

/** A journal that is out of reach from one write on, as if the process had died there. */
export class MortalJournal implements Journal {
  isDead = false;
  writes = 0;
  readonly #journal: Journal;
  readonly #lastWrites: number;
  readonly #isLastWritten: boolean;

  /** `lastWrites` counts from 1; whether the write that it dies of is in the journal is up to `isLastWritten`. */
  constructor(journal: Journal, lastWrites: number, isLastWritten: boolean) {
    this.#journal = journal;
    this.#lastWrites = lastWrites;
    this.#isLastWritten = isLastWritten;
  }

  append(record: JournalRecord): number {
    this.writes += 1;
    this.isDead ||= this.writes >= this.#lastWrites;
    if (this.isDead && !(this.#isLastWritten && this.writes === this.#lastWrites)) throw new Error("dead");
    const seq = this.#journal.append(record);
    if (this.isDead) throw new Error("dead");
    return seq;
  }

  read(): readonly StoredRecord[] {
    return this.#journal.read();
  }

  [Symbol.dispose](): void {
    this.#journal[Symbol.dispose]();
  }
}
