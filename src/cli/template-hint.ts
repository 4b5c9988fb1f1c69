import type { Diagnostic } from "../core/diagnostics/diagnostic.ts";
import type { SourceText } from "../core/manifest/manifest.ts";

const helmHint = "Templates are read once they are rendered: helm template CHART | kirikae check -";
const kustomizeHint = "Overlays are read once they are built: kustomize build FOLDER | kirikae check -";

/** Says of a text that is no manifest what makes manifests of it, where a chart or an overlay is recognised. */
export function addTemplateHints(
  findings: readonly Diagnostic[],
  sources: readonly SourceText[],
): readonly Diagnostic[] {
  const unreadable = findings.filter((finding) => isUnreadable(finding) && finding.hint === undefined);
  if (unreadable.length === 0) return findings;
  const texts = new Map(sources.map(({ path, text }) => [path, text]));
  const hints = new Map<Diagnostic, string>();
  for (const finding of unreadable) {
    const path = finding.at?.file ?? "";
    const hint = hintFor(path, texts.get(path) ?? "");
    if (hint !== undefined) hints.set(finding, hint);
  }
  return findings.map((finding) => {
    const hint = hints.get(finding);
    return hint === undefined ? finding : { ...finding, hint };
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
