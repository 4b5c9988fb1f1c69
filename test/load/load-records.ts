import { closeSync, openSync, readFileSync, writeSync } from "node:fs";

/** One request and what came of it. `status` is 0 when there was no answer. */
export interface LoadRecord {
  readonly sentMs: number;
  readonly doneMs: number;
  /** How long the request was due before a connection was free for it. */
  readonly lateMs: number;
  readonly status: number;
  readonly version: string | undefined;
  readonly error: string | undefined;
  /** Counts from 0, in the order of the request shapes. */
  readonly request: number;
}

/** The texts that records refer to by number. */
export interface RecordNames {
  readonly versions: readonly string[];
  readonly errors: readonly string[];
}

const recordBytes = 32;
const none = 0xff;
const chunkRecords = 8_192;

/** Writes records to a file, 32 bytes each, a few hundred kilobytes at a time. */
export class RecordWriter {
  readonly #file: number;
  readonly #chunk = Buffer.alloc(recordBytes * chunkRecords);
  readonly #versions = new Map<string, number>();
  readonly #errors = new Map<string, number>();
  #filled = 0;

  constructor(path: string) {
    this.#file = openSync(path, "w");
  }

  add(record: LoadRecord): void {
    const at = this.#filled * recordBytes;
    const chunk = this.#chunk;
    chunk.writeDoubleLE(record.sentMs, at);
    chunk.writeDoubleLE(record.doneMs, at + 8);
    chunk.writeFloatLE(record.lateMs, at + 16);
    chunk.writeUInt16LE(record.status, at + 20);
    chunk[at + 22] = numberOf(this.#versions, record.version);
    chunk[at + 23] = numberOf(this.#errors, record.error);
    chunk[at + 24] = record.request;
    this.#filled += 1;
    if (this.#filled === chunkRecords) this.#flush();
  }

  close(): RecordNames {
    this.#flush();
    closeSync(this.#file);
    return { versions: [...this.#versions.keys()], errors: [...this.#errors.keys()] };
  }

  #flush(): void {
    writeSync(this.#file, this.#chunk, 0, this.#filled * recordBytes);
    this.#filled = 0;
  }
}

function numberOf(names: Map<string, number>, name: string | undefined): number {
  if (name === undefined) return none;
  const known = names.get(name);
  if (known !== undefined) return known;
  // Whatever else is said after 250 different texts counts as the last of them.
  const next = Math.min(names.size, none - 1);
  names.set(name, next);
  return next;
}

/** Reads all records of a finished run; order is that of the answers. */
export function readRecords(path: string, names: RecordNames): readonly LoadRecord[] {
  const bytes = readFileSync(path);
  const records: LoadRecord[] = [];
  for (let at = 0; at + recordBytes <= bytes.length; at += recordBytes) {
    records.push({
      sentMs: bytes.readDoubleLE(at),
      doneMs: bytes.readDoubleLE(at + 8),
      lateMs: bytes.readFloatLE(at + 16),
      status: bytes.readUInt16LE(at + 20),
      version: names.versions[bytes[at + 22] ?? none],
      error: names.errors[bytes[at + 23] ?? none],
      request: bytes[at + 24] ?? 0,
    });
  }
  return records;
}
