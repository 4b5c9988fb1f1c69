import { diagnostic, type Diagnostic } from "../diagnostics/diagnostic.ts";
import { type LocalWorkloadManifest, resourceName, type WorkloadManifest } from "../manifest/manifest.ts";
import { LabelIndex, selects } from "./label-index.ts";
import type { Mesh, MeshService } from "./mesh.ts";

/** Services, and Deployments behind Services, that nothing on this machine answers for. */
export function checkLocalEndpoints(mesh: Mesh): readonly Diagnostic[] {
  const services = [...mesh.services.values()].filter(
    (service) => service.endpoints.length === 0 && service.origin.kind === "Service",
  );
  const index = new LabelIndex([...mesh.localWorkloads.values()], {
    namespace: (local) => local.metadata.namespace,
    labels: (local) => local.spec.labels,
  });
  const isCalled = selectorTest(mesh);
  const workloads = mesh.workloads.filter((workload) => isCalled(workload) && !isStoodFor(workload, index));
  return [...services.map(reportService), ...workloads.map(reportWorkload)];
}

/** Whether any Service leads to a workload: what only calls others has no endpoints that could be missing. */
function selectorTest(mesh: Mesh): (workload: WorkloadManifest) => boolean {
  const selectors = new Map<string, Readonly<Record<string, string>>[]>();
  for (const manifest of mesh.manifests) {
    if (manifest.kind !== "Service" || Object.keys(manifest.spec.selector).length === 0) continue;
    const { namespace } = manifest.metadata;
    const list = selectors.get(namespace) ?? [];
    list.push(manifest.spec.selector);
    selectors.set(namespace, list);
  }
  return ({ metadata, spec }) =>
    (selectors.get(metadata.namespace) ?? []).some((selector) => selects(selector, spec.podLabels));
}

/** A LocalWorkload may leave out labels that no selector asks for, or add some. */
function isStoodFor(workload: WorkloadManifest, index: LabelIndex<LocalWorkloadManifest>): boolean {
  const { namespace } = workload.metadata;
  const { podLabels } = workload.spec;
  return index.hasWithin(namespace, podLabels) || index.find(namespace, podLabels).length > 0;
}

function reportService(service: MeshService): Diagnostic {
  return diagnostic("KIR1035", {
    message: `No LocalWorkload is behind the Service "${service.origin.name}", so requests to it would fail with 503.`,
    hint: "Add a LocalWorkload with the labels that the Service selects.",
    resource: `Service ${service.origin.name}`,
    at: service.origin.at,
  });
}

function reportWorkload(workload: WorkloadManifest): Diagnostic {
  const labels = Object.entries(workload.spec.podLabels).map(([name, value]) => `${name}: ${value}`);
  return diagnostic("KIR1035", {
    message: `No LocalWorkload stands for the pods of ${workload.kind} "${workload.metadata.name}".`,
    hint: `Add a LocalWorkload with the labels {${labels.join(", ")}}.`,
    resource: resourceName(workload),
    at: workload.at,
  });
}
