import type { Diagnostic } from "../diagnostics/diagnostic.ts";
import type { SourceText } from "../manifest/manifest.ts";
import { parseManifests } from "../manifest/parse-manifests.ts";
import { importRollout } from "./argo/rollout.ts";
import { importCanary } from "./flagger/canary.ts";
import { type ImportedRelease, InputCatalog } from "./import-result.ts";
import { type InputObject, type InputProblem, readInput } from "./input-object.ts";
import { renderImport } from "./render-import.ts";

/** Whose objects are read. */
export type ImportedTool = "argo-rollout" | "flagger-canary";

export interface Imported {
  readonly releases: readonly ImportedRelease[];
  /** YAML of every Release and of what has to be there for it. */
  readonly text: string;
  /** Texts that could not be read. */
  readonly problems: readonly InputProblem[];
  /** What is wrong with the Releases as they were made; a person has to complete them. */
  readonly incomplete: readonly Diagnostic[];
}

const kinds = {
  "argo-rollout": { group: "argoproj.io", kind: "Rollout", read: importRollout },
  "flagger-canary": { group: "flagger.app", kind: "Canary", read: importCanary },
} as const;

/** Turns every Rollout, or every Canary, of the texts into a Release. Never throws, whatever the text. */
export function importObjects(
  tool: ImportedTool,
  sources: readonly SourceText[],
  options: { readonly defaultNamespace: string },
): Imported {
  const { objects, problems } = readInput(sources, options);
  const { group, kind, read } = kinds[tool];
  const isMeant = (object: InputObject): boolean => object.kind === kind && object.apiVersion.startsWith(`${group}/`);
  const catalog = new InputCatalog(objects);
  const releases = objects.filter(isMeant).map((object) => read(object, catalog));
  const text = renderImport(releases);
  const { diagnostics } = parseManifests([{ path: "(imported)", text }], options);
  return { releases, text, problems, incomplete: diagnostics.filter(({ level }) => level === "error") };
}
