import type { Diagnostic } from "../core/diagnostics/diagnostic.ts";
import { KirikaeError } from "../core/diagnostics/error.ts";
import type { SourceText } from "../core/manifest/manifest.ts";
import { buildMeshModel, byPlace } from "../core/mesh-model.ts";
import type { Mesh } from "../core/mesh/mesh.ts";
import type { RouteTable } from "../core/routes/route-table.ts";
import { readManifests } from "../local/manifest-folder.ts";

export interface LoadOptions {
  readonly defaultNamespace: string;
  readonly input: AsyncIterable<Uint8Array>;
}

export interface LoadedMesh {
  readonly mesh: Mesh;
  readonly table: RouteTable;
  /** In the order of files and lines; what has no place comes last. */
  readonly diagnostics: readonly Diagnostic[];
  readonly fileCount: number;
  /** A line of a text that was read, counted from 1. */
  readonly lines: (path: string, line: number) => string | undefined;
}

/** Reads manifests as `up` does, without running anything. Throws KIR5013 for a path that cannot be read. */
export async function loadMesh(paths: readonly string[], options: LoadOptions): Promise<LoadedMesh> {
  const sources: SourceText[] = [];
  const found: Diagnostic[] = [];
  for (const path of paths) {
    const set = await readManifests(path, { input: options.input });
    sources.push(...set.sources);
    found.push(...set.diagnostics);
  }
  const unique = [...new Map(sources.map((source) => [source.path, source])).values()];
  if (unique.length === 0 && found.length === 0) throw nothingToRead(paths);
  const model = buildMeshModel(unique, { defaultNamespace: options.defaultNamespace });
  return {
    mesh: model.mesh,
    table: model.table,
    diagnostics: [...found, ...model.diagnostics].toSorted(byPlace),
    fileCount: unique.length,
    lines: lineReader(unique),
  };
}

function lineReader(sources: readonly SourceText[]): LoadedMesh["lines"] {
  const split = new Map<string, readonly string[]>();
  return (path, line) => {
    const lines = split.get(path) ?? sources.find((source) => source.path === path)?.text.split(/\r?\n/u);
    if (lines !== undefined) split.set(path, lines);
    return lines?.[line - 1];
  };
}

/** A pipeline that checks the wrong folder must not be told that all is well. */
function nothingToRead(paths: readonly string[]): KirikaeError {
  return new KirikaeError("KIR5013", `There is no .yaml, .yml or .json file in ${paths.join(", ")}.`, {
    exitStatus: 2,
    hint: "Name a folder of manifests, one file, or - for standard input.",
  });
}
