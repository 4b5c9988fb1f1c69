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
}

/**
 * What `check` finds in one set of objects and not in another that differs by one.
 * @param after the same sources with one replaced, added or taken away
 */
export function findNew(
  before: readonly SourceText[],
  after: readonly SourceText[],
  options: FindingsOptions,
): readonly Diagnostic[] {
  const counts = new Map<string, number>();
  for (const finding of check(before, options)) counts.set(keyOf(finding), (counts.get(keyOf(finding)) ?? 0) + 1);
  return check(after, options).filter((finding) => {
    const left = counts.get(keyOf(finding)) ?? 0;
    counts.set(keyOf(finding), left - 1);
    return left <= 0;
  });
}

function check(sources: readonly SourceText[], { nowMs, leavesOut }: FindingsOptions): readonly Diagnostic[] {
  const options = { defaultNamespace: "default", nowMs };
  const builder = new MeshModelBuilder();
  const model = builder.finish(builder.buildServable(sources, options), sources, options);
  const findings = model.diagnostics.filter((finding) => !leavesOut(finding));
  return applySuppressions(findings, readIgnoreAnnotations(sources, options)).shown;
}

/** Without its place: a finding is not new because a rule above it is. */
function keyOf({ code, resource, message }: Diagnostic): string {
  return `${code} ${resource ?? ""} ${message}`;
}
