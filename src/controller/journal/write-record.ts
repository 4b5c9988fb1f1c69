import { errorText } from "../../core/diagnostics/error-text.ts";
import type { KubeApi } from "../../kubernetes/kube-api.ts";
import { KubeError } from "../../kubernetes/kube-error.ts";
import { kubeKinds } from "../../kubernetes/kube-kinds.ts";
import type { KubeObject, ObjectName } from "../../kubernetes/kube-object.ts";
import {
  chunkAnnotation,
  generationsAnnotation,
  type JournalOwner,
  journalLabel,
  writerAnnotation,
} from "./journal-chunk.ts";

/** One record on its way into a ConfigMap. Plain data, because it travels between threads. */
export interface RecordWrite {
  readonly owner: JournalOwner;
  readonly chunk: { readonly name: string; readonly index: number };
  /** What the ConfigMap has to be for this to be the next record; undefined where it does not exist yet. */
  readonly resourceVersion: string | undefined;
  /** Who wrote last, as far as is known. */
  readonly lastWriter: string;
  readonly writer: string;
  readonly generations: Readonly<Record<string, number>>;
  readonly key: string;
  /** Null takes away what an earlier write may have left, and keeps it from coming later. */
  readonly value: string | null;
}

export type WriteAnswer =
  | { readonly kind: "written"; readonly resourceVersion: string }
  /** Somebody else writes this journal now. */
  | { readonly kind: "foreign"; readonly message: string }
  /** The API server will never take it like this. */
  | {
      readonly kind: "refused";
      readonly message: string;
      /** It is not there, and will not be: what it was to be written to is another one now, or gone. */
      readonly isFinal?: true;
    }
  /** Nobody knows whether it is there, or will be. */
  | { readonly kind: "unknown"; readonly message: string };

export interface WriteContext {
  readonly api: Pick<KubeApi, "create" | "get" | "mergePatch">;
  /** By `performance.now`. */
  readonly deadline: number;
  readonly sleep: (durationMs: number) => Promise<void>;
}

const retryMs = 100;

/**
 * Writes one record and comes back with what became of it. The resourceVersion keeps two writers from both writing; a
 * write whose answer was lost is read back, so that it is neither lost nor written twice.
 */
export async function writeRecord(write: RecordWrite, context: WriteContext): Promise<WriteAnswer> {
  let { resourceVersion } = write;
  for (;;) {
    try {
      const { metadata } = await send({ ...write, resourceVersion }, context);
      return { kind: "written", resourceVersion: metadata.resourceVersion ?? "" };
    } catch (error) {
      if (!(error instanceof KubeError)) throw error;
      if (error.status === 404) return { kind: "refused", message: error.message, isFinal: true };
      if (!isConflict(error) && !error.isUnreachable) return { kind: "refused", message: error.message };
      const found = await readBack(write, context);
      if (found.kind !== "absent") return found;
      ({ resourceVersion } = found);
      if (performance.now() + retryMs > context.deadline) return { kind: "unknown", message: errorText(error) };
      await context.sleep(retryMs);
    }
  }
}

type ReadBack = WriteAnswer | { readonly kind: "absent"; readonly resourceVersion: string | undefined };

/** What the ConfigMap says after a write that was refused as outdated, or never answered. */
async function readBack(write: RecordWrite, { api, deadline, sleep }: WriteContext): Promise<ReadBack> {
  for (;;) {
    try {
      return compare(write, await api.get(kubeKinds.configMap, nameOf(write)));
    } catch (error) {
      if (!(error instanceof KubeError)) throw error;
      if (!error.isUnreachable) return { kind: "refused", message: error.message };
      if (performance.now() + retryMs > deadline) return { kind: "unknown", message: error.message };
      await sleep(retryMs);
    }
  }
}

function compare(write: RecordWrite, found: KubeObject | undefined): ReadBack {
  const { chunk, key, value, writer, lastWriter } = write;
  if (found === undefined) {
    return write.resourceVersion === undefined
      ? { kind: "absent", resourceVersion: undefined }
      : { kind: "refused", message: `the ConfigMap ${chunk.name} is gone`, isFinal: true };
  }
  const { resourceVersion = "", annotations = {} } = found.metadata;
  const shown = annotations[writerAnnotation] ?? "";
  const isOurs = shown === writer || shown === lastWriter;
  const stored = entryOf(found, key);
  if (shown === writer && value !== null && stored === value) return { kind: "written", resourceVersion };
  // No controller writes without its name: it is somebody else's, or was changed by hand, and no sign of a leader.
  if (shown === "") {
    return { kind: "refused", message: `the ConfigMap ${chunk.name} is none of a controller`, isFinal: true };
  }
  if (!isOurs || (stored !== undefined && value !== null)) {
    return { kind: "foreign", message: `${shown} writes the ConfigMap ${chunk.name} now` };
  }
  return { kind: "absent", resourceVersion };
}

function entryOf({ data }: KubeObject, key: string): string | undefined {
  if (typeof data !== "object" || data === null) return undefined;
  const value: unknown = Object.entries(data).find(([name]) => name === key)?.[1];
  return typeof value === "string" ? value : undefined;
}

function nameOf({ owner, chunk }: RecordWrite): ObjectName {
  return { namespace: owner.namespace, name: chunk.name };
}

function isConflict({ status }: KubeError): boolean {
  return status === 409;
}

async function send(write: RecordWrite, { api }: WriteContext): Promise<KubeObject> {
  const { resourceVersion, key, value } = write;
  const annotations = annotationsOf(write);
  if (resourceVersion === undefined) return await api.create(kubeKinds.configMap, buildChunk(write));
  const patch = { metadata: { resourceVersion, annotations }, data: { [key]: value } };
  return await api.mergePatch(kubeKinds.configMap, nameOf(write), { fieldManager: "kirikae-controller", patch });
}

function annotationsOf({ chunk, writer, generations }: RecordWrite): Readonly<Record<string, string>> {
  return {
    [chunkAnnotation]: String(chunk.index),
    [writerAnnotation]: writer,
    ...(Object.keys(generations).length > 0 && { [generationsAnnotation]: JSON.stringify(generations) }),
  };
}

/** Owned by the Release, so that the cluster removes it together with that. */
function buildChunk(write: RecordWrite): KubeObject {
  const { owner, chunk, key, value } = write;
  const { apiVersion, kind, namespace, name, uid } = owner;
  return {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: {
      name: chunk.name,
      namespace,
      labels: { [journalLabel]: "true", "app.kubernetes.io/managed-by": "kirikae" },
      annotations: annotationsOf(write),
      ownerReferences: [{ apiVersion, kind, name, uid }],
    },
    data: value === null ? {} : { [key]: value },
  };
}
