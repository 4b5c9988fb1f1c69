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
 * What `check` finds in one set of objects and not in another that differs by one. It remembers the findings of the
 * objects as they are, so that of many questions about the same cluster each costs one look.
 */
export class NewFindings {
  readonly #builder = new MeshModelBuilder();
  #known: { readonly sources: readonly SourceText[]; readonly findings: readonly Diagnostic[] } | undefined;

  /** @param after the same sources with one replaced, added or taken away */
  find(before: readonly SourceText[], after: readonly SourceText[], options: FindingsOptions): readonly Diagnostic[] {
    if (this.#known === undefined || !isSame(this.#known.sources, before)) {
      this.#known = { sources: before, findings: this.#check(before, options) };
    }
    const counts = new Map<string, number>();
    for (const finding of this.#known.findings) counts.set(keyOf(finding), (counts.get(keyOf(finding)) ?? 0) + 1);
    return this.#check(after, options).filter((finding) => {
      const key = keyOf(finding);
      const left = counts.get(key) ?? 0;
      counts.set(key, left - 1);
      return left <= 0;
    });
  }

  #check(sources: readonly SourceText[], { nowMs, leavesOut }: FindingsOptions): readonly Diagnostic[] {
    const options = { defaultNamespace: "default", nowMs };
    const model = this.#builder.finish(this.#builder.buildServable(sources, options), sources, options);
    const findings = model.diagnostics.filter((finding) => !leavesOut(finding));
    return applySuppressions(findings, readIgnoreAnnotations(sources, options)).shown;
  }
}

/** Without its place: a finding is not new because a rule above it is. */
function keyOf({ code, resource, message }: Diagnostic): string {
  return `${code} ${resource ?? ""} ${message}`;
}

function isSame(one: readonly SourceText[], other: readonly SourceText[]): boolean {
  return one.length === other.length && one.every((source, index) => source === other[index]);
}
