import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { errorText } from "../core/diagnostics/error-text.ts";
import type { Journal } from "../engine/journal.ts";
import type { KubeApi } from "../kubernetes/kube-api.ts";
import type { KubeObject } from "../kubernetes/kube-object.ts";
import { ClusterEvents } from "./cluster-events.ts";
import type { ControlledReleases } from "./controlled-releases.ts";
import { KubeJournal } from "./journal/kube-journal.ts";
import { readJournals } from "./journal/read-journals.ts";
import { ThreadedRecordWriter, type WriterConnection } from "./journal/record-writer.ts";
import type { JournalOwner } from "./journal/journal-chunk.ts";
import { limitToTerm } from "./leading-api.ts";
import { ReleaseReconciler, type ReleaseObjects } from "./reconcile-release.ts";
import type { StartRules } from "./start-release.ts";

/** What carries releases out while this process leads. Disposing it begins no further step, and waits for the one under way. */
export interface OpenedMesh extends AsyncDisposable {
  readonly releases: ControlledReleases;
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
  openMesh(parts: {
    readonly api: KubeApi;
    readonly journal: Journal;
    /** Something has happened to the release of that `namespace/name`. */
    onRelease(release: string): void;
    /** Aborted when the term is over. */
    readonly over: AbortSignal;
  }): Promise<OpenedMesh>;
  /** The Lease is lost: nothing may be written from that moment on. */
  readonly lost: AbortSignal;
  /** Somebody has asked the process to end. */
  readonly stop: AbortSignal;
  readonly stopMs: number;
  onReady(reconciler: ReleaseReconciler): void;
  onEnd(): void;
  onNote(message: string): void;
  onTrouble(message: string): void;
}

/** How long the API server may take to keep a record, while nothing else of this process runs. */
const writeTimeoutMs = 2_000;

/** Works on Releases until the Lease is lost, somebody else writes the journals, or the process is to end. */
export async function runTerm(parts: TermParts): Promise<void> {
  const { lost, stop, identity, objects, onTrouble } = parts;
  const over = new AbortController();
  const ended = AbortSignal.any([lost, stop, over.signal]);
  // A step that is under way may still write when the process is asked to end, and not when another one may lead.
  const fenced = new AbortController();
  const fence = (): void => fenced.abort();
  lost.addEventListener("abort", fence, { once: true });
  over.signal.addEventListener("abort", fence, { once: true });
  if (lost.aborted) return;
  const writer = `${identity}/${randomUUID().slice(0, 8)}`;
  const api = limitToTerm(parts.api, fenced.signal);
  await using stack = new AsyncDisposableStack();
  const found = await readJournals({
    api,
    namespace: parts.namespace,
    writer,
    isKnown: (uid) => objects.keys().some((key) => objects.get(key)?.metadata.uid === uid),
  });
  const records = stack.use(new ThreadedRecordWriter(parts.connection, writeTimeoutMs));
  const journal = stack.use(
    new KubeJournal({
      found,
      writer,
      records,
      findRelease: (name) => describeOwner(objects.get(name)),
      onForeign(message) {
        onTrouble(`steps down: ${message}`);
        over.abort();
      },
    }),
  );
  fenced.signal.addEventListener("abort", () => journal[Symbol.dispose](), { once: true });
  stack.defer(fence);
  const events = new ClusterEvents({
    api,
    instance: identity,
    nowMs: () => Date.now(),
    onFailure: (error) => onTrouble(`an Event could not be written: ${errorText(error)}`),
  });
  const early = new Set<string>();
  const running: { reconciler?: ReleaseReconciler } = {};
  const onRelease = (key: string): void => {
    if (running.reconciler === undefined) early.add(key);
    else running.reconciler.releaseChanged(key);
  };
  const mesh = await parts.openMesh({ api, journal, onRelease, over: ended });
  stack.defer(() => withinTime(mesh[Symbol.asyncDispose](), parts.stopMs));
  await mesh.resume();
  const reconciler = stack.use(
    new ReleaseReconciler({
      api,
      objects,
      releases: mesh.releases,
      journal,
      events,
      allows: parts.allows,
      controller: identity,
      nowMs: () => Date.now(),
      onTrouble,
      onNote: (message) => parts.onNote(message),
    }),
  );
  running.reconciler = reconciler;
  stack.defer(() => parts.onEnd());
  parts.onReady(reconciler);
  for (const key of early) reconciler.releaseChanged(key);
  reconciler.start();
  await aborted(ended);
}

function describeOwner(object: KubeObject | undefined): (JournalOwner & { readonly generation: number }) | undefined {
  if (object === undefined) return undefined;
  const { apiVersion, kind, metadata } = object;
  const { namespace = "", name, uid = "", generation = 0 } = metadata;
  return { apiVersion, kind, namespace, name, uid, generation };
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
