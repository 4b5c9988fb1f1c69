import { isDeepStrictEqual } from "node:util";
import { errorText } from "../../core/diagnostics/error-text.ts";
import { KirikaeError } from "../../core/diagnostics/error.ts";
import { fieldManager } from "../../core/site/site-object.ts";
import type { KubeApi } from "../../kubernetes/kube-api.ts";
import { KubeError } from "../../kubernetes/kube-error.ts";
import type { KubeKind, KubeObject, ObjectName } from "../../kubernetes/kube-object.ts";
import { readSpec } from "./read-spec.ts";
import type { ApiPatience } from "./api-patience.ts";

/** One object to be written by server-side apply, with what it was before. */
export interface PlannedWrite {
  readonly kind: KubeKind;
  /** With the resourceVersion that it was planned on. */
  readonly apply: KubeObject;
  readonly before: KubeObject;
}

/** How to take one write back. */
export interface Undo {
  readonly kind: KubeKind;
  readonly apply: KubeObject;
}

export type WriteReport =
  | { readonly kind: "written"; readonly answers: readonly KubeObject[]; readonly undo: readonly Undo[] }
  /** Nothing of it is written any more. */
  | { readonly kind: "refused"; readonly resource: string; readonly message: string }
  /** Some of it may be written, and could not be taken back. */
  | { readonly kind: "torn"; readonly message: string };

export interface Writing {
  readonly api: KubeApi;
  readonly patience: ApiPatience;
  /** Told every answer at once. */
  take(object: KubeObject): void;
}

/** Writes all of them, or none: where one is refused, those before it are taken back. */
export async function writeObjects(writes: readonly PlannedWrite[], writing: Writing): Promise<WriteReport> {
  const answers: KubeObject[] = [];
  const undo: Undo[] = [];
  for (const write of writes) {
    try {
      const answer = await writeOne(write, writing);
      answers.push(answer);
      undo.unshift({ kind: write.kind, apply: buildUndo(write, answer) });
    } catch (error) {
      if (!(error instanceof KirikaeError)) throw error;
      return await retreat({ write, undo, error }, writing);
    }
  }
  return { kind: "written", answers, undo };
}

/** @returns what could not be taken back, in a few words each. */
export async function takeBack(undo: readonly Undo[], writing: Writing): Promise<readonly string[]> {
  const failures: string[] = [];
  for (const { kind, apply } of undo) {
    try {
      await writeOne({ kind, apply }, writing);
    } catch (error) {
      if (!(error instanceof KirikaeError)) throw error;
      failures.push(`${describeObject(apply)}: ${errorText(error)}`);
    }
  }
  return failures;
}

async function retreat(
  {
    write,
    undo,
    error,
  }: { readonly write: PlannedWrite; readonly undo: readonly Undo[]; readonly error: KirikaeError },
  writing: Writing,
): Promise<WriteReport> {
  const resource = describeObject(write.apply);
  const isUnknown = error instanceof KubeError && error.isUnreachable;
  const failures = [...(await takeBack(undo, writing))];
  if (isUnknown) failures.push(`${resource} may be written: ${errorText(error)}`);
  if (failures.length > 0)
    return { kind: "torn", message: `The writes could not all be taken back: ${failures.join("; ")}` };
  const names = undo.map(({ apply }) => describeObject(apply));
  const fate = names.length === 0 ? "nothing was written" : `what was written to ${names.join(", ")} was taken back`;
  return { kind: "refused", resource, message: `${errorText(error)} (${fate})` };
}

/**
 * A write that was not answered may have arrived: the object itself says whether it has.
 * @throws KubeError what the server refused; with `isUnreachable` where nobody knows what became of it.
 */
async function writeOne({ kind, apply }: Pick<PlannedWrite, "kind" | "apply">, writing: Writing): Promise<KubeObject> {
  const { api, patience } = writing;
  let isRepeated = false;
  const answer = await patience.ask(async () => {
    if (isRepeated) {
      const live = await api.get(kind, nameOf(apply));
      if (live !== undefined && holds(live, apply)) return live;
    }
    isRepeated = true;
    return await api.apply(kind, apply, { fieldManager, force: true });
  });
  writing.take(answer);
  return answer;
}

/** Whether everything that is applied is in the object as it is stored. */
function holds(live: KubeObject, apply: KubeObject): boolean {
  const annotations = Object.entries(apply.metadata.annotations ?? {});
  const spec = Object.entries(readSpec(apply));
  const stored = new Map<string, unknown>(Object.entries(readSpec(live)));
  return (
    annotations.every(([name, value]) => live.metadata.annotations?.[name] === value) &&
    spec.every(([field, value]) => isDeepStrictEqual(stored.get(field), value))
  );
}

/** The same fields with what they held before; those that were not there are left out, which removes them. */
function buildUndo({ apply, before }: PlannedWrite, answer: KubeObject): KubeObject {
  const { name, namespace } = before.metadata;
  const { resourceVersion } = answer.metadata;
  const annotations = pick(before.metadata.annotations ?? {}, Object.keys(apply.metadata.annotations ?? {}));
  return {
    apiVersion: apply.apiVersion,
    kind: apply.kind,
    metadata: {
      name,
      ...(namespace !== undefined && { namespace }),
      ...(resourceVersion !== undefined && { resourceVersion }),
      ...(Object.keys(annotations).length > 0 && { annotations }),
    },
    spec: pick(readSpec(before), Object.keys(readSpec(apply))),
  };
}

function pick<Value>(from: Readonly<Record<string, Value>>, names: readonly string[]): Readonly<Record<string, Value>> {
  return Object.fromEntries(Object.entries(from).filter(([name]) => names.includes(name)));
}

function nameOf({ metadata }: KubeObject): ObjectName {
  return { namespace: metadata.namespace, name: metadata.name };
}

/** As people name it: `VirtualService shop/web`. */
export function describeObject({ kind, metadata }: KubeObject): string {
  return `${kind} ${metadata.namespace === undefined ? "" : `${metadata.namespace}/`}${metadata.name}`;
}
