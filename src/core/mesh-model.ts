import type { Diagnostic } from "./diagnostics/diagnostic.ts";
import type { SourceText } from "./manifest/manifest.ts";
import { createManifestReader } from "./manifest/manifest-reader.ts";
import { buildMesh } from "./mesh/build-mesh.ts";
import { checkMesh } from "./mesh/check-mesh.ts";
import type { Mesh } from "./mesh/mesh.ts";
import { buildRouteTable } from "./routes/build-route-table.ts";
import type { RouteTable } from "./routes/route-table.ts";

/** What a set of manifests says, and what is wrong with it. */
export interface MeshModel {
  readonly mesh: Mesh;
  /** With the weights that the manifests declare. */
  readonly table: RouteTable;
  /** In the order of files and lines; what has no place comes last. */
  readonly diagnostics: readonly Diagnostic[];
}

/** Remembers the last set of texts, because of a large folder mostly one file is saved. */
const readManifestTexts = createManifestReader();

/** The whole way from text to route table: `check`, `explain` and `up` read manifests through this one door. */
export function buildMeshModel(
  sources: readonly SourceText[],
  options: { readonly defaultNamespace: string },
): MeshModel {
  const parsed = readManifestTexts(sources, options);
  const linked = buildMesh(parsed.manifests);
  const built = buildRouteTable(linked.mesh);
  const diagnostics = [
    ...parsed.diagnostics,
    ...linked.diagnostics,
    ...checkMesh(linked.mesh),
    ...built.diagnostics,
  ].toSorted(byPlace);
  return { mesh: linked.mesh, table: built.table, diagnostics };
}

/** Orders findings as a reader meets them in the files. */
export function byPlace(one: Diagnostic, other: Diagnostic): number {
  if (one.at === undefined || other.at === undefined) {
    return Number(one.at === undefined) - Number(other.at === undefined);
  }
  if (one.at.file !== other.at.file) return one.at.file < other.at.file ? -1 : 1;
  return one.at.line - other.at.line || one.at.column - other.at.column;
}
