import type { Diagnostic } from "../core/diagnostics/diagnostic.ts";
import type { SourceText } from "../core/manifest/manifest.ts";

const helmHint = "Templates are read once they are rendered: helm template CHART | kirikae check -";
const kustomizeHint = "Overlays are read once they are built: kustomize build FOLDER | kirikae check -";

/**
 * Where a text that is no manifest is recognised as a part of a chart or an overlay, the first finding about it says what
 * makes manifests of it; what else is wrong with its syntax is left out, because none of it is to be corrected.
 */
export function explainTemplates(
  findings: readonly Diagnostic[],
  sources: readonly SourceText[],
): readonly Diagnostic[] {
  if (!findings.some(isUnreadable)) return findings;
  const texts = new Map(sources.map(({ path, text }) => [path, text]));
  const explained = new Set<string>();
  return findings.flatMap((finding) => {
    const path = finding.at?.file ?? "";
    const hint = isUnreadable(finding) ? hintFor(path, texts.get(path) ?? "") : undefined;
    if (hint === undefined) return [finding];
    if (explained.has(path)) return [];
    explained.add(path);
    return [{ ...finding, hint }];
  });
}

function isUnreadable({ code }: Diagnostic): boolean {
  return code === "KIR1001" || code === "KIR1003";
}

function hintFor(path: string, text: string): string | undefined {
  const name = path.split(/[\\/]/u).at(-1) ?? "";
  if (/^kustomization\.ya?ml$/iu.test(name)) return kustomizeHint;
  return /^(?:chart|values[\w.-]*)\.ya?ml$/iu.test(name) || text.includes("{{") ? helmHint : undefined;
}
