import type { Diagnostic } from "../diagnostics/diagnostic.ts";
import type { Mesh } from "./mesh.ts";

/** Findings that need more than one manifest to see, with Istio's codes where Istio has the same finding. */
export function checkMesh(_mesh: Mesh): readonly Diagnostic[] {
  return [];
}
