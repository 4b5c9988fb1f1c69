import { boundFindings } from "../diagnostics/bound-findings.ts";
import { diagnostic, type Diagnostic } from "../diagnostics/diagnostic.ts";
import { renderPosition } from "../diagnostics/position.ts";
import { type Manifest, objectName, resourceName, type WorkloadManifest } from "../manifest/manifest.ts";
import { buildServices } from "./build-services.ts";
import { buildIngressManifests } from "./ingress-manifests.ts";
import type { Mesh } from "./mesh.ts";

/**
 * Links manifests: names resolved, Services tied to the workloads behind them, lists in Istio's order. Of two objects
 * with one name the first is kept and the second reported.
 */
export function buildMesh(manifests: readonly Manifest[]): { mesh: Mesh; diagnostics: readonly Diagnostic[] } {
  const { kept, diagnostics } = removeDuplicates(manifests);
  const ordered = kept.toSorted(byAge);
  const services = buildServices(ordered);
  const ingresses = buildIngressManifests(ordered);
  const made = {
    gateways: ingresses.gateways.toSorted(byAge),
    virtualServices: ingresses.virtualServices.toSorted(byAge),
  };
  const mesh: Mesh = {
    // What Ingresses stand for has no age, and in a cluster everything else has one.
    gateways: [...made.gateways, ...ordered.filter((manifest) => manifest.kind === "Gateway")],
    virtualServices: [...made.virtualServices, ...ordered.filter((manifest) => manifest.kind === "VirtualService")],
    services: services.services,
    destinationRules: ordered.filter((manifest) => manifest.kind === "DestinationRule"),
    workloads: ordered.filter(isWorkload),
    localWorkloads: new Map(
      ordered
        .filter((manifest) => manifest.kind === "LocalWorkload")
        .map((manifest) => [objectName(manifest), manifest] as const),
    ),
    manifests: ordered,
  };
  return { mesh, diagnostics: boundFindings([...diagnostics, ...services.diagnostics], "of what it declares") };
}

function removeDuplicates(manifests: readonly Manifest[]): {
  kept: readonly Manifest[];
  diagnostics: readonly Diagnostic[];
} {
  const first = new Map<string, Manifest>();
  const diagnostics: Diagnostic[] = [];
  for (const manifest of manifests) {
    const name = resourceName(manifest);
    const known = first.get(name);
    if (known === undefined) {
      first.set(name, manifest);
      continue;
    }
    const message = `${name} is declared twice; the first is at ${renderPosition(known.at)}.`;
    diagnostics.push(diagnostic("KIR1008", { message, resource: name, at: manifest.at }));
  }
  return { kept: [...first.values()], diagnostics };
}

/** Oldest first, objects without a time before all others; then by name, then by namespace, as Istio sorts. */
function byAge(left: Manifest, right: Manifest): number {
  return (
    compare(left.metadata.creationTimestamp ?? "", right.metadata.creationTimestamp ?? "") ||
    compare(left.metadata.name, right.metadata.name) ||
    compare(left.metadata.namespace, right.metadata.namespace)
  );
}

function isWorkload(manifest: Manifest): manifest is WorkloadManifest {
  return ["Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Rollout", "Pod"].includes(manifest.kind);
}

function compare(left: string, right: string): number {
  if (left === right) {
    return 0;
  }
  return left < right ? -1 : 1;
}
