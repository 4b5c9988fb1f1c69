import type { Diagnostic } from "../diagnostics/diagnostic.ts";
import type { Manifest } from "../manifest/manifest.ts";
import type { Mesh } from "./mesh.ts";

/** Links manifests: names resolved, Services tied to the workloads behind them, lists in Istio's order. */
export function buildMesh(_manifests: readonly Manifest[]): { mesh: Mesh; diagnostics: readonly Diagnostic[] } {
  const mesh: Mesh = {
    gateways: [],
    virtualServices: [],
    services: new Map(),
    destinationRules: [],
    workloads: [],
    localWorkloads: new Map(),
  };
  return { mesh, diagnostics: [] };
}
