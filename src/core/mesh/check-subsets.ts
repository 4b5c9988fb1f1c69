import { diagnostic, type Diagnostic } from "../diagnostics/diagnostic.ts";
import { listNames } from "../manifest/decode/nearest-name.ts";
import { type DestinationRuleManifest, objectName, resourceName } from "../manifest/manifest.ts";
import { type DestinationReference, referencesOf, type RuleClient, type RuleClients } from "./destination-reference.ts";
import { destinationRulesFor, findDestinationRule, type MergedDestinationRule } from "./destination-rule-lookup.ts";
import type { Mesh } from "./mesh.ts";
import { resolveExports, type ServiceDirectory } from "./service-directory.ts";
import { meshConfigOf } from "./sidecar-scope.ts";

/**
 * Subsets that the DestinationRule does not declare which counts for whoever carries out the rule (IST0101), and those
 * that only some callers know. istioctl takes any DestinationRule for the host, wherever it is; Envoy answers 503.
 * Source: Istio `analyzers/virtualservice/destinationrules.go`, `pilot/pkg/model/push_context.go`.
 */
export function checkSubsets(
  mesh: Mesh,
  { directory, clients }: { readonly directory: ServiceDirectory; readonly clients: RuleClients },
): readonly Diagnostic[] {
  return (
    mesh.virtualServices
      .flatMap((service) => referencesOf(service))
      .filter(({ destination }) => destination.subset !== undefined)
      // Of a host that nobody declares, that is the finding (KIR1021), and its subset can be looked for afterwards.
      .filter(({ host }) => directory.find(host).length > 0)
      .flatMap((reference) => checkReference(mesh, reference, clients.of(reference.virtualService)) ?? [])
  );
}

function checkReference(
  mesh: Mesh,
  reference: DestinationReference,
  clients: readonly RuleClient[],
): Diagnostic | undefined {
  for (const client of clients) {
    const rule = findRule(mesh, reference.host, client);
    const isDeclared = rule?.subsets.some(({ name }) => name === reference.destination.subset) === true;
    if (!isDeclared && !isDeclaredForSome(mesh, reference, client)) {
      return reportUnknown(mesh, reference, client);
    }
    const rules = rule?.rules ?? [];
    if (isDeclared && client.kind === "mesh" && isForNeighboursOnly(mesh, reference, rules)) {
      return reportNarrow(reference, rules);
    }
  }
  return undefined;
}

function findRule(mesh: Mesh, host: string, { namespace }: RuleClient): MergedDestinationRule | undefined {
  return findDestinationRule(mesh, host, { clientNamespace: namespace, config: meshConfigOf(mesh) });
}

/** Whether a rule for certain workloads of the client's namespace has the subset; which those are is not asked here. */
function isDeclaredForSome(mesh: Mesh, { host, destination }: DestinationReference, client: RuleClient): boolean {
  return destinationRulesFor(mesh, host).some(
    ({ metadata, spec }) =>
      spec.workloadSelector !== undefined &&
      metadata.namespace === client.namespace &&
      spec.subsets.some(({ name }) => name === destination.subset),
  );
}

/** Every caller of the mesh has the rules, and the subset is declared where only neighbours look for it. */
function isForNeighboursOnly(
  mesh: Mesh,
  { virtualService, host }: DestinationReference,
  rules: readonly DestinationRuleManifest[],
): boolean {
  const { namespace } = virtualService.metadata;
  const isPublic = resolveExports(virtualService.spec.exportTo, namespace).includes("*");
  const service = mesh.services.get(host);
  const { rootNamespace } = meshConfigOf(mesh);
  return (
    isPublic &&
    service !== undefined &&
    rules.every(({ metadata }) => metadata.namespace !== service.namespace && metadata.namespace !== rootNamespace)
  );
}

function reportNarrow(
  { virtualService, destination, host }: DestinationReference,
  rules: readonly DestinationRuleManifest[],
): Diagnostic {
  const [rule] = rules;
  const place =
    rule === undefined ? "" : `${resourceName(rule)} counts for callers in namespace ${rule.metadata.namespace} only`;
  return diagnostic("KIR1224", {
    message: `The subset "${destination.subset}" of host "${host}" is unknown to other callers: ${place}, and these rules are for the whole mesh.`,
    hint: "Move the DestinationRule to the namespace of the service, or limit exportTo of the VirtualService.",
    resource: resourceName(virtualService),
    at: destination.at,
  });
}

function reportUnknown(mesh: Mesh, reference: DestinationReference, client: RuleClient): Diagnostic {
  const { destination, host, virtualService } = reference;
  const rule = findRule(mesh, host, client);
  const known = listNames(rule?.subsets.map((entry) => entry.name) ?? []);
  const declaredBy = rule?.rules.map((entry) => objectName(entry)).join(", ");
  const subject = `The subset "${destination.subset}" of host "${destination.host}"`;
  const message =
    declaredBy === undefined
      ? `${subject} is declared by no DestinationRule that counts for ${describeClient(client)}.`
      : `${subject} is not in DestinationRule ${declaredBy}, which counts for ${describeClient(client)}; known subsets: ${known}.`;
  const hint = subsetHint(mesh, reference, client);
  return diagnostic("KIR1022", { message, hint, resource: resourceName(virtualService), at: destination.at });
}

function describeClient({ kind, namespace }: RuleClient): string {
  return kind === "gateway" ? `the gateway in namespace ${namespace}` : `callers in namespace ${namespace}`;
}

function subsetHint(mesh: Mesh, { host, destination }: DestinationReference, client: RuleClient): string | undefined {
  const hidden = destinationRulesFor(mesh, host).find((rule) =>
    rule.spec.subsets.some((subset) => subset.name === destination.subset),
  );
  if (hidden === undefined) {
    return undefined;
  }
  const { namespace } = hidden.metadata;
  const exports = resolveExports(hidden.spec.exportTo, namespace);
  const isExported = exports.includes("*") || exports.includes(client.namespace);
  const { rootNamespace } = meshConfigOf(mesh);
  const places = new Set([client.namespace, mesh.services.get(host)?.namespace ?? rootNamespace, rootNamespace]);
  const reason = isExported
    ? `is in namespace ${namespace}; looked at are ${listNames([...places])}, and the first that has a rule for the host counts whole`
    : `is exported to ${listNames(exports)} only`;
  return `${resourceName(hidden)} has it, but ${reason}.`;
}
