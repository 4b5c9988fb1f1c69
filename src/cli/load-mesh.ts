import { applySuppressions, type SuppressedFinding } from "../core/diagnostics/apply-suppressions.ts";
import type { Diagnostic } from "../core/diagnostics/diagnostic.ts";
import { KirikaeError } from "../core/diagnostics/error.ts";
import { readIgnoreAnnotations } from "../core/manifest/read-ignore-annotations.ts";
import { buildMeshModel, byPlace } from "../core/mesh-model.ts";
import type { LiveMesh } from "../app/live-mesh.ts";
import type { Mesh } from "../core/mesh/mesh.ts";
import type { RouteTable } from "../core/routes/route-table.ts";
import { judgeSecrets } from "../local/judge-secrets.ts";
import { readAllManifests } from "../local/manifest-folder.ts";
import { renderDiagnostics } from "./print/diagnostics.ts";
import { createSourceLines, type SourceLines } from "./source-lines.ts";
import type { Terminal } from "./terminal.ts";
import { explainTemplates } from "./template-hint.ts";

export interface LoadOptions {
  readonly defaultNamespace: string;
  readonly input: AsyncIterable<Uint8Array>;
}

export interface LoadedMesh {
  readonly mesh: Mesh;
  readonly table: RouteTable;
  /** In the order of files and lines; what has no place comes last. Without those that annotations silence. */
  readonly diagnostics: readonly Diagnostic[];
  readonly suppressed: readonly SuppressedFinding[];
  readonly fileCount: number;
  /** Set where live objects were read and no files. */
  readonly from?: "objects";
  /** What a Release can be planned on; absent for files. */
  readonly site?: Pick<LiveMesh, "sites" | "tableFor">;
  readonly lines: SourceLines;
}

/**
 * Reads manifests as `up` does, without running anything; what cannot be read below a folder is a finding. Throws
 * KIR5013 for a path that cannot be read, and where there is nothing to read.
 */
export async function loadMesh(paths: readonly string[], options: LoadOptions): Promise<LoadedMesh> {
  const { defaultNamespace, input } = options;
  const set = await readAllManifests(paths, { input, unreadable: "report" });
  const { sources } = set;
  const isBlank = sources.every(({ text }) => text.trim() === "");
  if (isBlank && set.diagnostics.length === 0) throw nothingToRead(paths);
  const model = await judgeSecrets(buildMeshModel(sources, { defaultNamespace, nowMs: Date.now() }));
  const found = explainTemplates([...set.diagnostics, ...model.diagnostics], sources);
  const { shown, suppressed } = applySuppressions(found, readIgnoreAnnotations(sources, { defaultNamespace }));
  return {
    mesh: model.mesh,
    table: model.table,
    diagnostics: shown.toSorted(byPlace),
    suppressed,
    fileCount: sources.length,
    lines: createSourceLines(sources),
  };
}

/** More would push the answer itself out of the terminal. */
const maxNoted = 3;

/**
 * Prints the first errors, and how many there are: beside them every answer about the manifests is only as good as what
 * was understood.
 */
export function noteErrors({ diagnostics, lines }: LoadedMesh, terminal: Terminal): number {
  const errors = diagnostics.filter((finding) => finding.level === "error");
  if (errors.length > 0) terminal.note(renderDiagnostics(errors.slice(0, maxNoted), lines, terminal.noteInk));
  const hidden = errors.length - maxNoted;
  if (hidden > 0)
    terminal.note(`... and ${hidden} more ${hidden === 1 ? "error" : "errors"}; \`kirikae check\` shows all`);
  return errors.length;
}

/** A pipeline that checks the wrong folder, or what a failed command printed, must not be told that all is well. */
function nothingToRead(paths: readonly string[]): KirikaeError {
  const where =
    paths.join(", ") === "-"
      ? "Standard input is empty."
      : `There is no manifest in ${paths.join(", ")}: no .yaml, .yml or .json file that holds anything.`;
  return new KirikaeError("KIR5013", where, {
    exitStatus: 2,
    hint: "Name a folder of manifests, one file, or - for standard input.",
  });
}
