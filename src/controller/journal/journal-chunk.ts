import { createHash } from "node:crypto";
import { damagedRecord, parseRecord, type StoredRecord } from "../../engine/journal-record.ts";
import type { KubeObject } from "../../kubernetes/kube-object.ts";

/** Marks the ConfigMaps that hold journals. */
export const journalLabel = "kirikae.dev/journal";
/** Which ConfigMap of a Release's journal it is, from 0. */
export const chunkAnnotation = "kirikae.dev/chunk";
/** Which run of which controller wrote last; whoever finds another name than its own there has been replaced. */
export const writerAnnotation = "kirikae.dev/writer";
/** JSON: which generation of the Release each start in this ConfigMap was made from. */
export const generationsAnnotation = "kirikae.dev/generations";

/** The Release that a journal belongs to; another one of the same name has another uid. */
export interface JournalOwner {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
}

/** The records of one Release, as its ConfigMaps tell them. */
export interface OwnedRecords {
  readonly uid: string;
  readonly namespace: string;
  /** Oldest first. */
  readonly records: readonly StoredRecord[];
  /** The id of each start, and the generation that it was made from. */
  readonly generations: ReadonlyMap<string, number>;
  readonly tail: ChunkTail;
}

/** Where the next record of a Release goes. */
export interface ChunkTail {
  readonly name: string;
  readonly index: number;
  readonly resourceVersion: string;
  readonly writer: string;
  readonly generations: Readonly<Record<string, number>>;
  /** Of its keys and values, in UTF-8. */
  readonly bytes: number;
  readonly checksum: string;
}

/** A name that no other Release's journal has, and that says whose it is. */
export function chunkName({ name, uid }: Pick<JournalOwner, "name" | "uid">, index: number): string {
  return `${name.slice(0, 200)}-journal-${uid.slice(0, 8)}-${index}`;
}

/** Anybody can say that a ConfigMap of theirs belongs to a Release; its journal is where and what it is called. */
export function isChunkOf(
  { metadata }: Pick<KubeObject, "metadata">,
  owner: Pick<JournalOwner, "namespace" | "name" | "uid">,
): boolean {
  const index = Number(metadata.annotations?.[chunkAnnotation] ?? Number.NaN);
  return metadata.namespace === owner.namespace && metadata.name === chunkName(owner, index);
}

/** Keys sort as numbers do. */
export function keyOf(seq: number): string {
  return String(seq).padStart(10, "0");
}

/** Each checksum covers the one before, so a changed, lost or swapped record shows. */
export function checksumOf(previous: string, body: string): string {
  return createHash("sha256").update(previous).update("\n").update(body).digest("hex");
}

/** What a key of the ConfigMap holds of one record; the reader checks the sum. */
export function emitValue(checksum: string, body: string): string {
  return `${checksum} ${body}`;
}

/** What one record takes of a ConfigMap. */
export function sizeOf(key: string, value: string): number {
  return Buffer.byteLength(key) + Buffer.byteLength(value);
}

/**
 * Reads the ConfigMaps of one Release's journal, given in any order.
 * @throws KirikaeError KIR2020 when any record is not as it was written, KIR2021 for a newer format.
 */
export function parseChunks(uid: string, objects: readonly KubeObject[]): OwnedRecords {
  const chunks = objects.map(readChunk).toSorted((one, other) => one.index - other.index);
  const records: StoredRecord[] = [];
  const generations = new Map<string, number>();
  let checksum = "";
  for (const [position, chunk] of chunks.entries()) {
    if (chunk.index !== position) throw damagedRecord(records.length + 1, "is missing with its ConfigMap");
    for (const [key, value] of chunk.entries) {
      const { seq, body } = readValue({ key, value, checksum });
      checksum = value.slice(0, value.indexOf(" "));
      records.push({ seq, record: parseRecord(body, seq) });
    }
    for (const [id, generation] of Object.entries(chunk.generations)) generations.set(id, generation);
  }
  const last = chunks.at(-1);
  if (last === undefined) throw new Error(`a journal without ConfigMaps was read for ${uid}`);
  const bytes = last.entries.reduce((sum, [key, value]) => sum + sizeOf(key, value), 0);
  const { name, index, resourceVersion, writer } = last;
  const tail = { name, index, resourceVersion, writer, generations: last.generations, bytes, checksum };
  return { uid, namespace: last.namespace, records, generations, tail };
}

interface Chunk extends Pick<ChunkTail, "name" | "index" | "resourceVersion" | "writer" | "generations"> {
  readonly namespace: string;
  readonly entries: readonly (readonly [key: string, value: string])[];
}

function readChunk({ metadata, data }: KubeObject): Chunk {
  const { name, namespace = "", resourceVersion = "", annotations = {} } = metadata;
  const index = Number(annotations[chunkAnnotation] ?? Number.NaN);
  if (!Number.isInteger(index)) throw damagedRecord(1, `cannot be found: ConfigMap ${name} does not say its number`);
  const entries = Object.entries(typeof data === "object" && data !== null ? data : {})
    .map(([key, value]) => [key, String(value)] as const)
    .toSorted(([one], [other]) => Number(one) - Number(other));
  const writer = annotations[writerAnnotation] ?? "";
  return { name, namespace, index, resourceVersion, writer, generations: readGenerations(annotations), entries };
}

/** A number that cannot be read is left out: the Release then counts as started from whatever it says now. */
function readGenerations(annotations: Readonly<Record<string, string>>): Readonly<Record<string, number>> {
  const text = annotations[generationsAnnotation];
  if (text === undefined) return {};
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return {};
    throw error;
  }
  if (typeof value !== "object" || value === null) return {};
  return Object.fromEntries(Object.entries(value).filter(([, generation]) => typeof generation === "number"));
}

function readValue(stored: { readonly key: string; readonly value: string; readonly checksum: string }): {
  readonly seq: number;
  readonly body: string;
} {
  const { key, value, checksum } = stored;
  const seq = Number(key);
  if (!/^\d{1,15}$/u.test(key)) throw damagedRecord(1, `is beside an entry ${key} that is none`);
  const body = value.slice(value.indexOf(" ") + 1);
  if (value !== emitValue(checksumOf(checksum, body), body)) throw damagedRecord(seq, "is not as it was written");
  return { seq, body };
}
