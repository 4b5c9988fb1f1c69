import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { errorText } from "../core/diagnostics/error-text.ts";
import type { Journal } from "../engine/journal.ts";
import type { SplitId } from "../core/routes/route-table.ts";
import type { WrittenObject } from "../core/site/written-objects.ts";
import type { KubeApi } from "../kubernetes/kube-api.ts";
import type { KubeObject } from "../kubernetes/kube-object.ts";
import { ClusterEvents } from "./cluster-events.ts";
import type { ControlledReleases } from "./controlled-releases.ts";
import { type FoundRelease, KubeJournal } from "./journal/kube-journal.ts";
import { readJournals } from "./journal/read-journals.ts";
import { ThreadedRecordWriter, type WriterConnection } from "./journal/record-writer.ts";
import type { JournalFights } from "./journal/journal-fights.ts";
import type { KnownRelease } from "./journal/check-journals.ts";
import { readStatus } from "./status/write-status.ts";
import { limitToTerm } from "./leading-api.ts";
import { ReleaseReconciler } from "./reconcile/reconcile-release.ts";
import type { ReleaseObjects } from "./reconcile/release-objects.ts";
import type { StartRules } from "./start-release.ts";

/** What carries releases out while this process leads. Disposing it begins no further step, and waits for the one under way. */
export interface OpenedMesh extends AsyncDisposable {
  readonly releases: ControlledReleases;
  /** The objects that have the rules of these splits. */
  writtenBy(splits: ReadonlySet<SplitId>): readonly WrittenObject[];
  /** Ends what broke off, and takes up what an earlier controller has left. */
  resume(): Promise<void>;
}

export interface TermParts {
  readonly api: KubeApi;
  readonly connection: WriterConnection;
  readonly identity: string;
  readonly namespace: string | undefined;
  readonly objects: ReleaseObjects;
  readonly allows: StartRules;
  readonly openMesh: (parts: MeshTerm) => Promise<OpenedMesh>;
  /** The Lease is lost: nothing may be written from that moment on. */
  readonly lost: AbortSignal;
  /** Somebody has asked the process to end. */
  readonly stop: AbortSignal;
  readonly stopMs: number;
  /** Of all terms of this process. */
  readonly fights: JournalFights;
  readonly onReady: (reconciler: ReleaseReconciler) => void;
  readonly onEnd: () => void;
  readonly onNote: (message: string) => void;
  readonly onTrouble: (message: string) => void;
}

/** What a mesh is opened with for one term. */
interface MeshTerm {
  /** Writes for as long as this process leads. */
  readonly api: KubeApi;
  readonly journal: Journal;
  /** Something has happened to the release of that `namespace/name`. */
  readonly onRelease: (release: string) => void;
  /** Aborted when the term is over. */
  readonly over: AbortSignal;
}

/** Why a term has ended; `foreign` is another controller that does not use this Lease. */
export type TermEnd = "asked" | "lost" | "foreign";

/** How long the API server may take to keep a record, while nothing else of this process runs. */
const writeTimeoutMs = 2_000;

/** Works on Releases until the Lease is lost, somebody else writes the journals, or the process is to end. */
export async function runTerm(parts: TermParts): Promise<TermEnd> {
  const { lost, stop } = parts;
  if (lost.aborted) return "lost";
  const foreign = new AbortController();
  // A step that is under way may still write when the process is asked to end, and not when another one may lead.
  const fence = new AbortController();
  for (const signal of [lost, foreign.signal]) signal.addEventListener("abort", () => fence.abort(), { once: true });
  const over = AbortSignal.any([lost, stop, foreign.signal]);
  const api = limitToTerm(parts.api, fence.signal);
  await using stack = new AsyncDisposableStack();
  const journal = await openJournal(parts, { api, foreign, stack });
  fence.signal.addEventListener("abort", () => journal[Symbol.dispose](), { once: true });
  stack.defer(() => fence.abort());
  const early = new Set<string>();
  let reconciler: ReleaseReconciler | undefined;
  const mesh = await parts.openMesh({
    api,
    journal,
    over,
    onRelease: (key) => (reconciler === undefined ? void early.add(key) : reconciler.releaseChanged(key)),
  });
  stack.defer(() => withinTime(mesh[Symbol.asyncDispose](), parts.stopMs));
  await mesh.resume();
  reconciler = stack.use(buildReconciler(parts, { api, journal, mesh }));
  stack.defer(() => parts.onEnd());
  parts.onReady(reconciler);
  for (const key of early) reconciler.releaseChanged(key);
  reconciler.start();
  await aborted(over);
  return foreign.signal.aborted ? "foreign" : lost.aborted ? "lost" : "asked";
}

interface JournalTerm {
  readonly api: KubeApi;
  readonly foreign: AbortController;
  readonly stack: AsyncDisposableStack;
}

/** Reads the journals of all Releases and makes them those of this term alone. */
async function openJournal(parts: TermParts, { api, foreign, stack }: JournalTerm): Promise<KubeJournal> {
  const { identity, namespace, objects, connection, allows, fights, onTrouble } = parts;
  const writer = `${identity}/${randomUUID().slice(0, 8)}`;
  const known = new Map(objects.keys().flatMap((key) => describeKnown(objects.get(key))));
  const found = await readJournals({ api, namespace, writer, allows, releaseOf: (uid) => known.get(uid) });
  for (const { message } of found.damaged.values()) onTrouble(message);
  return stack.use(
    new KubeJournal({
      found,
      writer,
      records: stack.use(new ThreadedRecordWriter(connection, writeTimeoutMs)),
      findRelease: (name) => describeOwner(objects.get(name)),
      onForeign(message, owner) {
        if (!fights.stepsDownFor(owner, Date.now())) {
          onTrouble(`leaves a Release of ${owner} to another controller: ${message}`);
          return "hold";
        }
        onTrouble(`steps down: ${message}`);
        foreign.abort();
        return "stop";
      },
    }),
  );
}

function buildReconciler(
  { objects, allows, identity, onTrouble, onNote }: TermParts,
  {
    api,
    journal,
    mesh,
  }: {
    readonly api: KubeApi;
    readonly journal: KubeJournal;
    readonly mesh: Pick<OpenedMesh, "releases" | "writtenBy">;
  },
): ReleaseReconciler {
  const events = new ClusterEvents({
    api,
    instance: identity,
    nowMs: Date.now,
    onFailure: (error) => onTrouble(`an Event could not be written: ${errorText(error)}`),
  });
  return new ReleaseReconciler({
    api,
    objects,
    releases: mesh.releases,
    writtenBy: (splits) => mesh.writtenBy(splits),
    journal,
    events,
    allows,
    controller: identity,
    nowMs: Date.now,
    onTrouble,
    onNote,
  });
}

function describeOwner(object: KubeObject | undefined): FoundRelease | undefined {
  if (object === undefined) return undefined;
  const { apiVersion, kind, metadata } = object;
  const { namespace = "", name, uid = "", generation = 0 } = metadata;
  return { apiVersion, kind, namespace, name, uid, generation, isLeaving: metadata.deletionTimestamp !== undefined };
}

function describeKnown(object: KubeObject | undefined): readonly (readonly [uid: string, release: KnownRelease])[] {
  if (object === undefined) return [];
  const { namespace = "", name, uid = "" } = object.metadata;
  return [[uid, { namespace, name, release: readStatus(object).release }]];
}

async function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
}

/** What does not end in time is cut off by the fence that follows. */
async function withinTime(work: PromiseLike<void>, timeoutMs: number): Promise<void> {
  const timeUp = new AbortController();
  const late = delay(timeoutMs, undefined, { signal: timeUp.signal, ref: false }).catch(() => undefined);
  try {
    await Promise.race([work, late]);
  } finally {
    timeUp.abort();
  }
}
