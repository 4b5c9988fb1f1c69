import { setImmediate as nextTurn } from "node:timers/promises";
import { applySuppressions } from "../core/diagnostics/apply-suppressions.ts";
import type { Diagnostic } from "../core/diagnostics/diagnostic.ts";
import type { SourceText } from "../core/manifest/manifest.ts";
import { readIgnoreAnnotations } from "../core/manifest/read-ignore-annotations.ts";
import { MeshModelBuilder } from "../core/mesh-model.ts";

export interface FindingsOptions {
  /** Milliseconds since 1970, by which certificates are out of date. */
  readonly nowMs: number;
  /** What the sources cannot say, because somebody may not read it. */
  readonly leavesOut: (finding: Diagnostic) => boolean;
  /** Nobody waits for an answer any more once it is aborted. */
  readonly signal: AbortSignal;
  /** Lets everything else go on; the next turn of the event loop unless given. */
  readonly giveWay?: () => Promise<unknown>;
}

/** How many characters of objects are parsed at once: a few milliseconds' worth. */
const sliceSize = 32 * 1024;

/**
 * What `check` finds in one set of objects and not in another that differs by one. Most of its time goes into parsing,
 * which is done in slices, and once for both sets.
 * @param after the same sources with one replaced, added or taken away
 * @returns undefined where nobody waits for it any more
 */
export async function findNew(
  before: readonly SourceText[],
  after: readonly SourceText[],
  options: FindingsOptions,
): Promise<readonly Diagnostic[] | undefined> {
  const { signal, giveWay = nextTurn } = options;
  const builder = new MeshModelBuilder();
  for (const end of findSlices(before)) {
    if (signal.aborted) return undefined;
    builder.parse(before.slice(0, end), modelOptions(options));
    await giveWay();
  }
  const counts = new Map<string, number>();
  for (const finding of check(builder, before, options)) {
    counts.set(keyOf(finding), (counts.get(keyOf(finding)) ?? 0) + 1);
  }
  await giveWay();
  if (signal.aborted) return undefined;
  return check(builder, after, options).filter((finding) => {
    const left = counts.get(keyOf(finding)) ?? 0;
    counts.set(keyOf(finding), left - 1);
    return left <= 0;
  });
}

/** Where each slice ends, as a number of sources. */
function findSlices(sources: readonly SourceText[]): readonly number[] {
  const ends: number[] = [];
  let size = 0;
  for (const [index, { text }] of sources.entries()) {
    size += text.length;
    if (size < sliceSize) continue;
    ends.push(index + 1);
    size = 0;
  }
  return ends;
}

function modelOptions({ nowMs }: FindingsOptions) {
  return { defaultNamespace: "default", nowMs };
}

function check(
  builder: MeshModelBuilder,
  sources: readonly SourceText[],
  findings: FindingsOptions,
): readonly Diagnostic[] {
  const options = modelOptions(findings);
  const model = builder.finish(builder.buildServable(sources, options), sources, options);
  const found = model.diagnostics.filter((finding) => !findings.leavesOut(finding));
  return applySuppressions(found, readIgnoreAnnotations(sources, options)).shown;
}

/** Without its place: a finding is not new because a rule above it is. */
function keyOf({ code, resource, message }: Diagnostic): string {
  return `${code} ${resource ?? ""} ${message}`;
}
