import { diagnostic, type Diagnostic } from "../diagnostics/diagnostic.ts";
import { listNames } from "../manifest/decode/nearest-name.ts";
import { coversHost, isWildcard } from "../manifest/host-pattern.ts";
import { type DestinationRuleManifest, resourceName } from "../manifest/manifest.ts";
import { resolveHost } from "./host-name.ts";
import { selects } from "./label-index.ts";
import type { Mesh, MeshService } from "./mesh.ts";

/** DestinationRules for hosts that do not exist (IST0174) and subsets that select nothing (IST0173). */
export function checkDestinationRules(mesh: Mesh): readonly Diagnostic[] {
  return mesh.destinationRules.flatMap((rule) => {
    const host = resolveHost(rule.spec.host, rule.metadata.namespace);
    if (isWildcard(host)) {
      return [...mesh.services.keys()].some((name) => coversHost(host, name)) ? [] : [reportUnknownHost(rule, host)];
    }
    const service = mesh.services.get(host);
    return service === undefined ? [reportUnknownHost(rule, host)] : checkSubsets(mesh, rule, service);
  });
}

function reportUnknownHost(rule: DestinationRuleManifest, host: string): Diagnostic {
  const full = host === rule.spec.host ? "" : ` (in full "${host}")`;
  return diagnostic("KIR1031", {
    message: `No Service and no ServiceEntry declares the host "${rule.spec.host}"${full}.`,
    resource: resourceName(rule),
    at: rule.at,
  });
}

function checkSubsets(mesh: Mesh, rule: DestinationRuleManifest, service: MeshService): readonly Diagnostic[] {
  if (service.origin.kind === "ServiceEntry" && service.resolution === "none") {
    return [];
  }
  return rule.spec.subsets
    .filter(
      ({ labels }) =>
        !service.endpoints.some((endpoint) => selects(labels, endpoint.labels)) && !isDeployed(mesh, service, labels),
    )
    .map((subset) =>
      diagnostic("KIR1030", {
        message: `The subset "${subset.name}" selects no endpoint of "${service.host}" by its labels ${renderLabels(subset.labels)}.`,
        hint: `Labels behind the service: ${knownLabels(service)}.`,
        resource: resourceName(rule),
        at: subset.at,
      }),
    );
}

/** Pods that a Deployment would make exist in the cluster, if not on this machine; that is another finding. */
function isDeployed(mesh: Mesh, service: MeshService, labels: Readonly<Record<string, string>>): boolean {
  return (
    Object.keys(labels).length > 0 &&
    mesh.workloads.some(
      (workload) => workload.metadata.namespace === service.namespace && selects(labels, workload.spec.podLabels),
    )
  );
}

function knownLabels(service: MeshService): string {
  return listNames([...new Set(service.endpoints.map((endpoint) => renderLabels(endpoint.labels)))]);
}

function renderLabels(labels: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}=${value}`);
  return pairs.length === 0 ? "(none)" : pairs.join(",");
}
