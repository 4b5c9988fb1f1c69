import { createHash } from "node:crypto";
import { existsSync, statSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { KirikaeError } from "../core/diagnostics/error.ts";
import { createPrivateFile } from "./create-private-file.ts";
import {
  damagedRecord,
  emitRecord,
  JOURNAL_FORMAT,
  type JournalRecord,
  parseRecord,
  type StoredRecord,
} from "./journal-record.ts";

/** The append-only memory of what was about to happen and what did. */
export interface Journal extends Disposable {
  /** Returns the record's number when it is on the disk, before which nothing of it may be acted upon. */
  append(record: JournalRecord): number;
  /** All records, oldest first. Throws KIR2020 when any of them is not as it was written. */
  read(): readonly StoredRecord[];
}

/** `PRAGMA application_id`: says that the file is ours, in ASCII `kiri`. */
const applicationId = 0x6b697269;

const schema = [
  `CREATE TABLE IF NOT EXISTS records (
    seq INTEGER PRIMARY KEY,
    body TEXT NOT NULL,
    checksum TEXT NOT NULL
  ) STRICT`,
  `CREATE TRIGGER IF NOT EXISTS records_are_not_changed BEFORE UPDATE ON records
    BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END`,
  `CREATE TRIGGER IF NOT EXISTS records_are_not_removed BEFORE DELETE ON records
    BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END`,
];

/**
 * Opens the journal to append to it, creating it (mode 0600) where there is none. Write-ahead logging lets other
 * processes read while this one writes. `synchronous=FULL` makes each commit wait for the disk: an intent that a power
 * cut could undo is none, and it is written a few times a move, outside of the measured switch.
 */
export function openJournal(file: string): Journal {
  return guard(file, () => {
    createPrivateFile(file);
    const database = new DatabaseSync(file, { timeout: 5_000 });
    try {
      checkOwnership(database, file);
      logAhead(database, file);
      checkPages(database);
      createSchema(database);
      return new SqliteJournal(database, file);
    } catch (error) {
      database.close();
      throw error;
    }
  });
}

/** Reads a journal that another process may be writing. Throws KIR2023 when there is none. */
export function readJournal(file: string): readonly StoredRecord[] {
  if (!existsSync(file)) {
    throw new KirikaeError("KIR2023", `There is no journal at ${file}.`, {
      exitStatus: 3,
      hint: "Nothing was ever moved with this state folder; KIRIKAE_STATE names another one.",
    });
  }
  return guard(file, () => {
    const database = new DatabaseSync(file, { readOnly: true, timeout: 5_000 });
    try {
      checkOwnership(database, file);
      checkPages(database);
      return readRecords(database);
    } finally {
      database.close();
    }
  });
}

class SqliteJournal implements Journal {
  readonly #database: DatabaseSync;
  readonly #file: string;
  readonly #identity: string | undefined;
  #lastSeq: number;
  #lastChecksum: string;

  constructor(database: DatabaseSync, file: string) {
    this.#database = database;
    this.#file = file;
    this.#identity = identityOf(file);
    // A damaged journal must not be continued: what follows would rest on a guess.
    const last = readRows(database).at(-1);
    this.#lastSeq = last?.seq ?? 0;
    this.#lastChecksum = last?.checksum ?? "";
  }

  append(record: JournalRecord): number {
    return guard(this.#file, () => {
      this.#checkPresence();
      const seq = this.#lastSeq + 1;
      const body = emitRecord(record);
      const checksum = checksumOf(this.#lastChecksum, body);
      this.#database.prepare("INSERT INTO records (seq, body, checksum) VALUES (?, ?, ?)").run(seq, body, checksum);
      this.#lastSeq = seq;
      this.#lastChecksum = checksum;
      return seq;
    });
  }

  read(): readonly StoredRecord[] {
    return guard(this.#file, () => readRecords(this.#database));
  }

  [Symbol.dispose](): void {
    if (this.#database.isOpen) this.#database.close();
  }

  /** SQLite writes on to a file that was deleted, and nobody would ever read what it says there. */
  #checkPresence(): void {
    if (identityOf(this.#file) === this.#identity) return;
    throw new KirikaeError("KIR2023", `The journal at ${this.#file} was removed or replaced while it was in use.`, {
      exitStatus: 3,
      hint: "Put it back, or start `kirikae up` again: it then goes by what the proxies show.",
    });
  }
}

/** Tells a file from another one of the same name; undefined where there is none. */
function identityOf(file: string): string | undefined {
  const found = statSync(file, { bigint: true, throwIfNoEntry: false });
  return found === undefined ? undefined : `${found.dev}:${found.ino}`;
}

interface Row {
  readonly seq: number;
  readonly body: string;
  readonly checksum: string;
}

function readRecords(database: DatabaseSync): readonly StoredRecord[] {
  return readRows(database).map(({ seq, body }) => ({ seq, record: parseRecord(body, seq) }));
}

/** Each checksum covers the one before, so a changed, lost or swapped record shows. */
function readRows(database: DatabaseSync): readonly Row[] {
  const hasTable = database.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'records'").get() !== undefined;
  if (!hasTable) return [];
  const rows: Row[] = [];
  let previous = "";
  for (const { seq, body, checksum } of database
    .prepare("SELECT seq, body, checksum FROM records ORDER BY seq")
    .iterate()) {
    const expected = rows.length + 1;
    if (seq !== expected || typeof body !== "string") throw damagedRecord(expected, "is missing");
    if (checksum !== checksumOf(previous, body)) throw damagedRecord(expected, "is not as it was written");
    previous = checksum;
    rows.push({ seq, body, checksum });
  }
  return rows;
}

function checksumOf(previous: string, body: string): string {
  return createHash("sha256").update(previous).update("\n").update(body).digest("hex");
}

function checkOwnership(database: DatabaseSync, file: string): void {
  const id = database.prepare("PRAGMA application_id").get()?.["application_id"];
  const format = database.prepare("PRAGMA user_version").get()?.["user_version"];
  if (typeof format === "number" && format > JOURNAL_FORMAT) {
    throw new KirikaeError("KIR2021", `The journal at ${file} has format ${format}.`, {
      exitStatus: 3,
      hint: `This kirikae reads up to format ${JOURNAL_FORMAT}; use the one that wrote it.`,
    });
  }
  const isNew = id === 0 && database.prepare("SELECT count(*) AS n FROM sqlite_schema").get()?.["n"] === 0;
  if (id !== applicationId && !isNew) {
    throw new KirikaeError("KIR2020", `${file} is a database, but not a journal of kirikae.`, {
      exitStatus: 3,
      hint: "Move the file away, or name another state folder with KIRIKAE_STATE.",
    });
  }
}

/** SQLite does not fail where write-ahead logging cannot be had: it goes on in another mode and says in which. */
function logAhead(database: DatabaseSync, file: string): void {
  const mode = database.prepare("PRAGMA journal_mode=WAL").get()?.["journal_mode"];
  if (mode !== "wal") {
    throw new KirikaeError(
      "KIR2023",
      `The journal at ${file} cannot be logged ahead: SQLite stays in ${String(mode)} mode.`,
      {
        exitStatus: 3,
        hint: "Use a folder on a local disk: KIRIKAE_STATE names another one.",
      },
    );
  }
  database.exec("PRAGMA synchronous=FULL");
}

/** In one transaction, so that a crash leaves an empty file or a journal, never tables that nobody owns. */
function createSchema(database: DatabaseSync): void {
  database.exec("BEGIN IMMEDIATE");
  for (const statement of schema) database.exec(statement);
  database.exec(`PRAGMA application_id=${applicationId}`);
  database.exec(`PRAGMA user_version=${JOURNAL_FORMAT}`);
  database.exec("COMMIT");
}

function checkPages(database: DatabaseSync): void {
  const verdict = database.prepare("PRAGMA quick_check(1)").get()?.["quick_check"];
  if (verdict !== "ok") {
    throw new KirikaeError("KIR2020", `The journal is damaged: ${String(verdict)}.`, {
      exitStatus: 3,
      hint: "Move the journal away to start with the manifests' own weights, or bring back a copy of it.",
    });
  }
}

/** SQLITE_CORRUPT and SQLITE_NOTADB (sqlite.org/rescode.html): the bytes are not those of a database. */
const damageCodes: ReadonlySet<number> = new Set([11, 26]);

/** Turns what SQLite and the file system say into errors that a user can act upon. */
function guard<T>(file: string, act: () => T): T {
  try {
    return act();
  } catch (error) {
    if (error instanceof KirikaeError || !(error instanceof Error)) throw error;
    const errcode = "errcode" in error && typeof error.errcode === "number" ? error.errcode & 0xff : undefined;
    const isDamage = errcode !== undefined && damageCodes.has(errcode);
    throw new KirikaeError(
      isDamage ? "KIR2020" : "KIR2023",
      isDamage
        ? `The journal at ${file} is damaged: ${error.message}.`
        : `The journal at ${file} cannot be used: ${error.message}.`,
      {
        exitStatus: 3,
        hint: isDamage
          ? "Move the journal away to start with the manifests' own weights, or bring back a copy of it."
          : "Check that the folder belongs to you and that the disk has room.",
        cause: error,
      },
    );
  }
}
