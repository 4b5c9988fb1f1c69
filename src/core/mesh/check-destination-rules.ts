import { diagnostic, type Diagnostic } from "../diagnostics/diagnostic.ts";
import { listNames } from "../manifest/decode/nearest-name.ts";
import { coversHost, isWildcard } from "../manifest/host-pattern.ts";
import { type DestinationRuleManifest, objectName, resourceName } from "../manifest/manifest.ts";
import { resolveHost } from "./host-name.ts";
import { selects } from "./label-index.ts";
import type { Mesh, MeshService } from "./mesh.ts";
import type { PodIndex } from "./pods.ts";
import { resolveExports, type ServiceDirectory } from "./service-directory.ts";
import { meshConfigOf } from "./sidecar-scope.ts";

type Labels = Readonly<Record<string, string>>;

interface Surroundings {
  readonly directory: ServiceDirectory;
  readonly pods: PodIndex;
}

/**
 * DestinationRules for hosts that do not exist (IST0174), subsets that select nothing (IST0173), and rules that count
 * for callers in their own namespace only. Source: Istio `analyzers/destinationrule/subset.go`.
 */
export function checkDestinationRules(mesh: Mesh, surroundings: Surroundings): readonly Diagnostic[] {
  const selectors = new Map(
    mesh.manifests
      .filter((manifest) => manifest.kind === "Service")
      .map((service) => [objectName(service), service.spec.selector] as const),
  );
  const { rootNamespace } = meshConfigOf(mesh);
  return mesh.destinationRules.flatMap((rule) => {
    const host = resolveHost(rule.spec.host, rule.metadata.namespace);
    if (!isKnown(rule, host, surroundings.directory)) {
      return [reportUnknownHost(rule, host)];
    }
    const service = mesh.services.get(host);
    if (service === undefined) {
      return [];
    }
    const selector = service.origin.kind === "Service" ? (selectors.get(service.origin.name) ?? {}) : {};
    return [
      ...checkSubsets(rule, service, { selector, pods: surroundings.pods }),
      ...checkNamespace(rule, service, rootNamespace),
    ];
  });
}

function isKnown(rule: DestinationRuleManifest, host: string, directory: ServiceDirectory): boolean {
  if (isWildcard(host)) {
    return [...directory.hosts()].some((name) => coversHost(host, name));
  }
  const { namespace } = rule.metadata;
  if (directory.isMisspelt(rule.spec.host, namespace)) {
    return false;
  }
  const exports = resolveExports(rule.spec.exportTo, namespace);
  const namespaces = exports.includes("*") ? [namespace] : exports;
  return (
    namespaces.some((name) => directory.findVisible(host, name).length > 0) ||
    directory.find(host).some((declaration) => declaration.namespace === namespace)
  );
}

function reportUnknownHost(rule: DestinationRuleManifest, host: string): Diagnostic {
  const full = host === rule.spec.host ? "" : ` (in full "${host}")`;
  return diagnostic("KIR1031", {
    message: `No Service and no ServiceEntry that is visible here declares the host "${rule.spec.host}"${full}, so the DestinationRule has no effect.`,
    hint:
      rule.spec.host === rule.spec.host.toLowerCase()
        ? "A short name means a Service of the DestinationRule's own namespace; write the full name for another."
        : "Istio compares host names letter by letter; write it in lower case.",
    resource: resourceName(rule),
    at: rule.spec.hostAt,
  });
}

/** Istio adds these to endpoints by itself, from the nodes and networks that they are in. */
const topologyLabels: ReadonlySet<string> = new Set([
  "topology.kubernetes.io/region",
  "topology.kubernetes.io/zone",
  "topology.istio.io/subzone",
  "topology.istio.io/cluster",
  "topology.istio.io/network",
  "kubernetes.io/hostname",
]);

/** The labels that manifests can show; one that Istio would set is never empty. */
function writtenLabels(labels: Labels): Labels {
  return Object.fromEntries(
    Object.entries(labels).filter(([name, value]) => !topologyLabels.has(name) || value === ""),
  );
}

function checkSubsets(
  rule: DestinationRuleManifest,
  service: MeshService,
  { selector, pods }: { readonly selector: Labels; readonly pods: PodIndex },
): readonly Diagnostic[] {
  if (service.origin.kind === "ServiceEntry" && service.resolution === "none") {
    return [];
  }
  const isSelecting = (written: Labels): boolean => {
    const labels = writtenLabels(written);
    const all = { ...selector, ...labels };
    return (
      service.endpoints.some((endpoint) => selects(labels, endpoint.labels)) ||
      (Object.keys(all).length > 0 && pods.findIn(service.namespace, all).length > 0)
    );
  };
  return rule.spec.subsets
    .filter(({ labels }) => !isSelecting(labels))
    .map((subset) =>
      diagnostic("KIR1030", {
        message: `The subset "${subset.name}" selects no pod of "${service.host}" by its labels ${renderLabels(subset.labels)}, so requests to it get 503.`,
        hint: `Labels behind the service: ${knownLabels(service, selector, pods)}.`,
        resource: resourceName(rule),
        at: subset.at,
      }),
    );
}

/** A DestinationRule counts where its callers are, where the service is, or in the root namespace. */
function checkNamespace(
  rule: DestinationRuleManifest,
  service: MeshService,
  rootNamespace: string,
): readonly Diagnostic[] {
  const { namespace } = rule.metadata;
  if (namespace === service.namespace || namespace === rootNamespace) {
    return [];
  }
  return [
    diagnostic("KIR1230", {
      message: `The service ${service.origin.name} is in namespace ${service.namespace}, so this DestinationRule counts for callers in ${namespace} only.`,
      hint: `For everybody, put it into ${service.namespace}.`,
      resource: resourceName(rule),
      at: rule.spec.hostAt,
    }),
  ];
}

function knownLabels(service: MeshService, selector: Labels, pods: PodIndex): string {
  const behind = Object.keys(selector).length === 0 ? [] : pods.findIn(service.namespace, selector);
  const labels = [...service.endpoints, ...behind].map((entry) => renderLabels(entry.labels));
  return listNames([...new Set(labels)]);
}

function renderLabels(labels: Labels): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}=${value}`);
  return pairs.length === 0 ? "(none)" : pairs.join(",");
}
