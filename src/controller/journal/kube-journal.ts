import { KirikaeError } from "../../core/diagnostics/error.ts";
import type { Journal } from "../../engine/journal.ts";
import { emitRecord, type JournalRecord, type StoredRecord } from "../../engine/journal-record.ts";
import { type ChunkTail, checksumOf, chunkName, emitValue, type JournalOwner, keyOf, sizeOf } from "./journal-chunk.ts";
import type { FoundJournals } from "./read-journals.ts";
import { RecordOwners } from "./record-owners.ts";
import type { RecordWriter } from "./record-writer.ts";
import type { RecordWrite, WriteAnswer } from "./write-record.ts";

export interface KubeJournalOptions {
  readonly found: FoundJournals;
  readonly writer: string;
  readonly records: RecordWriter;
  /** The Release of that `namespace/name`, as it is in the cluster now, and its generation. */
  findRelease(name: string): FoundRelease | undefined;
  /**
   * Somebody else writes the journals of this namespace. `stop`: nothing more is written by this one; `hold`: no more for
   * this one Release.
   */
  onForeign(message: string, namespace: string): "stop" | "hold";
  /** In milliseconds, for how long writes fail at once after one whose end is unknown. */
  readonly pauseMs?: number;
  /** About how much of a ConfigMap, which may hold 1 MiB, is filled. */
  readonly chunkBytes?: number;
}

export interface FoundRelease extends JournalOwner {
  readonly generation: number;
  /** It is being deleted. */
  readonly isLeaving: boolean;
}

/** An API server that does not answer would stop this process for each record anew. */
const defaultPauseMs = 3_000;
/** etcd writes a ConfigMap whole for each record, so it is filled less than it could be. */
const defaultChunkBytes = 256 * 1024;
/** The API server takes 1 MiB of values, and the names and annotations beside them. */
const largestRecord = 1_000_000;

/**
 * The journal of a cluster: a few ConfigMaps for each Release, owned by it, so that it goes with it. The records and
 * their format are those of the laptop's. This is the only writer: each write says which resourceVersion it follows,
 * and one that does not follow stops everything.
 */
export class KubeJournal implements Journal {
  readonly #options: KubeJournalOptions;
  readonly #records: StoredRecord[];
  readonly #owners = new RecordOwners();
  readonly #tails = new Map<string, ChunkTail>();
  readonly #known = new Map<string, JournalOwner>();
  readonly #generations = new Map<string, number>();
  readonly #gone = new Set<string>();
  /** Releases that somebody else carries out, and why. */
  readonly #held = new Map<string, string>();
  #lastSeq = 0;
  /** Takes back what may have been written although it failed. */
  #doubt: RecordWrite | undefined;
  #failedAt = Number.NEGATIVE_INFINITY;
  #stopped: string | undefined;

  constructor(options: KubeJournalOptions) {
    this.#options = options;
    const owned = options.found.journals.flatMap(({ uid, records }) => records.map((stored) => ({ uid, stored })));
    const ordered = owned.toSorted((one, other) => one.stored.seq - other.stored.seq);
    for (const { uid, stored } of ordered) this.#owners.add(stored.record, uid);
    for (const { uid, tail, generations } of options.found.journals) {
      this.#tails.set(uid, tail);
      for (const [id, generation] of generations) this.#generations.set(id, generation);
    }
    this.#records = ordered.map(({ stored }) => stored);
    this.#lastSeq = this.#records.at(-1)?.seq ?? 0;
  }

  /** @throws KIR2023 when the record is not known to be kept, or another writer has taken over. */
  append(record: JournalRecord): number {
    this.#checkRunning();
    const seq = this.#lastSeq + 1;
    const { owner, generation } = this.#ownerOf(record);
    if (!this.#gone.has(owner.uid)) {
      this.#settleDoubt();
    }
    // What was in doubt may have been its own.
    if (!this.#gone.has(owner.uid)) {
      const generations = record.type === "release" ? { [record.id]: generation } : {};
      this.#keep(owner, { seq, body: emitRecord(record), generations });
    }
    this.#lastSeq = seq;
    this.#owners.add(record, owner.uid);
    if (record.type === "release") this.#generations.set(record.id, generation);
    this.#records.push({ seq, record });
    return seq;
  }

  read(): readonly StoredRecord[] {
    return this.#records;
  }

  /** Oldest first, the ids of what this Release has begun. */
  releaseIds(uid: string): readonly string[] {
    return this.#owners.releaseIds(uid);
  }

  /** The uid of the Release that has begun this. */
  ownerOf(releaseId: string): string | undefined {
    return this.#owners.ownerOf(releaseId);
  }

  /** Undefined where the journal does not say it. */
  generationOf(releaseId: string): number | undefined {
    return this.#generations.get(releaseId);
  }

  /** Why nothing can be done for the Release; undefined where its journal is whole. */
  damageOf(uid: string): KirikaeError | undefined {
    return this.#options.found.damaged.get(uid);
  }

  /** Where the records of a Release are. */
  describe({ name, uid }: Pick<JournalOwner, "name" | "uid">): { readonly configMaps: readonly string[] } {
    const tail = this.#tails.get(uid);
    const count = tail === undefined ? 0 : tail.index + 1;
    return { configMaps: Array.from({ length: count }, (_, index) => chunkName({ name, uid }, index)) };
  }

  /**
   * The Release is no longer in the cluster, and its ConfigMaps go with it. What still happens to its releases is kept
   * in memory alone: nobody will ever read it.
   */
  forget(uid: string): void {
    this.#gone.add(uid);
  }

  /** Nothing is written any more. */
  [Symbol.dispose](): void {
    this.#stopped ??= "this controller no longer leads";
  }

  #checkRunning(): void {
    if (this.#stopped !== undefined) throw unwritten(this.#stopped, "The controller that leads goes on from here.");
    const { pauseMs = defaultPauseMs } = this.#options;
    if (performance.now() < this.#failedAt + pauseMs) throw unreachable("the API server did not answer a moment ago");
  }

  #ownerOf(record: JournalRecord): { readonly owner: JournalOwner; readonly generation: number } {
    if (record.type === "release") {
      const found = this.#options.findRelease(record.plan.release);
      if (found === undefined) throw unwritten(`there is no Release ${record.plan.release} in the cluster`);
      const { generation, apiVersion, kind, namespace, name, uid } = found;
      const owner = { apiVersion, kind, namespace, name, uid };
      this.#known.set(owner.uid, owner);
      return { owner, generation };
    }
    const uid = this.#owners.find(record);
    const owner = uid === undefined ? undefined : this.#nameOwner(uid);
    if (owner === undefined) throw unwritten(`no Release has the ${record.type} ${record.id}`);
    return { owner, generation: 0 };
  }

  #nameOwner(uid: string): JournalOwner {
    const known = this.#known.get(uid);
    if (known !== undefined) return known;
    const [id] = this.#owners.releaseIds(uid);
    const started = this.#records.find(({ record }) => record.type === "release" && record.id === id)?.record;
    const release = started?.type === "release" ? started.plan.release : "/";
    const [namespace = "", name = ""] = release.split("/");
    const owner = { apiVersion: "kirikae.dev/v1alpha1", kind: "Release", namespace, name, uid };
    this.#known.set(uid, owner);
    return owner;
  }

  /**
   * Writes it. The ConfigMaps of a Release that is being deleted may be gone before it, as with its whole namespace, and
   * then it could never go if what still happens to it had to be kept.
   */
  #keep(owner: JournalOwner, entry: JournalEntry): void {
    try {
      this.#checkHeld(owner);
      this.#write(owner, entry);
    } catch (error) {
      if (!(error instanceof RefusedRecord) || !this.#isLeaving(owner)) throw error;
      this.forget(owner.uid);
    }
  }

  #checkHeld({ uid }: JournalOwner): void {
    const why = this.#held.get(uid);
    if (why !== undefined) throw new RefusedRecord(why, true);
  }

  #isLeaving({ namespace, name, uid }: JournalOwner): boolean {
    const found = this.#options.findRelease(`${namespace}/${name}`);
    return found?.uid === uid && found.isLeaving;
  }

  #write(owner: JournalOwner, { seq, body, generations }: JournalEntry): void {
    const before = this.#tails.get(owner.uid);
    const key = keyOf(seq);
    const checksum = checksumOf(before?.checksum ?? "", body);
    const value = emitValue(checksum, body);
    const size = sizeOf(key, value);
    if (size > largestRecord) throw unwritten(`record ${seq} has ${size} bytes, more than a ConfigMap holds`);
    const { chunkBytes = defaultChunkBytes, writer } = this.#options;
    const follows = before !== undefined && (before.bytes === 0 || before.bytes + size <= chunkBytes);
    const index = before === undefined ? 0 : follows ? before.index : before.index + 1;
    const all = { ...(follows && before.generations), ...generations };
    const write: RecordWrite = {
      owner,
      chunk: { name: chunkName(owner, index), index },
      resourceVersion: follows ? before.resourceVersion : undefined,
      lastWriter: follows ? before.writer : writer,
      writer,
      generations: all,
      key,
      value,
    };
    const resourceVersion = this.#send(write);
    const bytes = (follows ? before.bytes : 0) + size;
    this.#tails.set(owner.uid, {
      name: write.chunk.name,
      index,
      resourceVersion,
      writer,
      generations: all,
      bytes,
      checksum,
    });
  }

  #send(write: RecordWrite): string {
    const answer = this.#options.records.write(write);
    switch (answer.kind) {
      case "written":
        return answer.resourceVersion;
      case "unknown":
        this.#doubt = { ...write, value: null };
        this.#failedAt = performance.now();
        throw unreachable(answer.message);
      case "foreign":
      case "refused":
        throw this.#refuse(answer, write.owner);
    }
  }

  #refuse(
    answer: Extract<WriteAnswer, { kind: "foreign" | "refused" }>,
    { uid, namespace }: JournalOwner,
  ): KirikaeError {
    const { message } = answer;
    if (answer.kind === "refused") return new RefusedRecord(message, answer.isFinal === true);
    if (this.#options.onForeign(message, namespace) === "hold") {
      this.#held.set(uid, message);
      return unwritten(message, "The other controller goes on from here, with this Release.");
    }
    this.#stopped = `another controller has taken over: ${message}`;
    return unwritten(this.#stopped, "The other controller goes on from here; nothing of this one is applied.");
  }

  /**
   * A record that may be there although it failed was never acted upon. It is taken away before anything else is
   * written, and one that is still on its way comes too late then, because the resourceVersion has changed.
   */
  #settleDoubt(): void {
    const doubt = this.#doubt;
    if (doubt === undefined) return;
    const resourceVersion = this.#takeAway(doubt);
    this.#doubt = undefined;
    if (resourceVersion === undefined) return;
    const tail = this.#tails.get(doubt.owner.uid);
    const { name, index } = doubt.chunk;
    if (tail?.name === name) this.#tails.set(doubt.owner.uid, { ...tail, resourceVersion });
    else this.#openChunk(doubt, { tail, resourceVersion, name, index });
  }

  /** Undefined where nothing of it can come late, and nothing more of its Release is written; other Releases go on. */
  #takeAway(doubt: RecordWrite): string | undefined {
    const { owner } = doubt;
    try {
      return this.#send(doubt);
    } catch (error) {
      if (this.#stopped !== undefined || !(error instanceof KirikaeError)) throw error;
      if (this.#held.has(owner.uid)) return undefined;
      if (!(error instanceof RefusedRecord)) throw error;
      if (this.#isLeaving(owner)) this.forget(owner.uid);
      else if (error.isFinal) this.#held.set(owner.uid, error.message);
      else throw error;
      return undefined;
    }
  }

  /** To keep a ConfigMap from coming late, it was created with nothing in it. */
  #openChunk(
    { owner, writer }: RecordWrite,
    {
      tail,
      ...chunk
    }: Pick<ChunkTail, "resourceVersion" | "name" | "index"> & { readonly tail: ChunkTail | undefined },
  ): void {
    this.#tails.set(owner.uid, { ...chunk, writer, generations: {}, bytes: 0, checksum: tail?.checksum ?? "" });
  }
}

interface JournalEntry {
  readonly seq: number;
  readonly body: string;
  readonly generations: Readonly<Record<string, number>>;
}

/** The API server will never take it. */
class RefusedRecord extends KirikaeError {
  /** Whether it can be known that nothing of it comes late. */
  readonly isFinal: boolean;

  constructor(why: string, isFinal: boolean) {
    const hint = "Look at the ConfigMap, and check the rights of the controller with `kirikae doctor`.";
    super("KIR2023", describeUnwritten(why), { exitStatus: 3, hint });
    this.isFinal = isFinal;
  }
}

function unreachable(why: string): KirikaeError {
  return unwritten(why, "Traffic stays as it is; the release goes on by itself when the API server answers.");
}

function unwritten(why: string, hint = "Traffic stays as it is; the release tries again by itself."): KirikaeError {
  return new KirikaeError("KIR2023", describeUnwritten(why), { exitStatus: 3, hint });
}

function describeUnwritten(why: string): string {
  return `The journal in the cluster cannot be written: ${why}.`;
}
