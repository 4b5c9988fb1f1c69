import { findDestinationRule, type MergedDestinationRule } from "../mesh/destination-rule-lookup.ts";
import type { HostName, Mesh, MeshService } from "../mesh/mesh.ts";
import { meshConfigOf } from "../mesh/sidecar-scope.ts";
import type { MeshConfig } from "../manifest/mesh-config.ts";
import { localityOf, type RouteClient } from "./route-client.ts";

/** What one client sees of the hosts of a mesh. */
export interface DestinationView {
  readonly client: RouteClient;
  readonly config: MeshConfig;
  /** Undefined where nobody declares the host, or the client may not see it. */
  serviceOf(host: HostName): MeshService | undefined;
  ruleFor(host: HostName): MergedDestinationRule | undefined;
  /** Empty where a client in the service's own namespace sees the same; else what tells this client's view apart. */
  variantOf(host: HostName): string;
}

/** Lookups are remembered: ten thousand rules may send to one host. */
export function createDestinationView(mesh: Mesh, client: RouteClient): DestinationView {
  const rules = new Map<HostName, MergedDestinationRule | undefined>();
  const variants = new Map<HostName, string>();
  const config = meshConfigOf(mesh);
  const serviceOf = (host: HostName): MeshService | undefined => {
    const service = mesh.services.get(host);
    return service === undefined ? undefined : chooseService([service, ...(service.others ?? [])], client.namespace);
  };
  const ruleFor = (host: HostName): MergedDestinationRule | undefined => {
    if (!rules.has(host)) {
      rules.set(host, findDestinationRule(mesh, host, ruleClient(client, config)));
    }
    return rules.get(host);
  };
  return {
    client,
    config,
    serviceOf,
    ruleFor,
    variantOf: (host) => {
      let variant = variants.get(host);
      if (variant === undefined) {
        const service = mesh.services.get(host);
        const home = { clientNamespace: service?.namespace ?? client.namespace, clientLabels: {}, config };
        const usual = service === undefined ? ruleFor(host) : findDestinationRule(mesh, host, home);
        const isUsual = service === serviceOf(host);
        variant = describeVariant({ client, service: serviceOf(host), own: ruleFor(host), usual, isUsual });
        variants.set(host, variant);
      }
      return variant;
    },
  };
}

function ruleClient(client: RouteClient, config: MeshConfig) {
  return { clientNamespace: client.namespace, clientLabels: client.labels, config };
}

function isVisible(service: MeshService, namespace: string): boolean {
  return service.exportedTo.includes("*") || service.exportedTo.includes(namespace);
}

/**
 * Of several services for one host the one for the client's namespace alone, then one that names the namespace, then
 * one for all. Source: Istio `pilot/pkg/model/push_context.go`, servicesExportedToNamespace.
 */
function chooseService(candidates: readonly MeshService[], namespace: string): MeshService | undefined {
  const isOwn = ({ namespace: home, exportedTo }: MeshService): boolean =>
    home === namespace && exportedTo.every((entry) => entry === namespace) && exportedTo.length > 0;
  return (
    candidates.find(isOwn) ??
    candidates.find(({ exportedTo }) => exportedTo.includes(namespace)) ??
    candidates.find((service) => isVisible(service, namespace))
  );
}

interface VariantSources {
  readonly client: RouteClient;
  readonly service: MeshService | undefined;
  readonly own: MergedDestinationRule | undefined;
  readonly usual: MergedDestinationRule | undefined;
  /** Whether the client sees the service that most see. */
  readonly isUsual: boolean;
}

function describeVariant({ client, service, own, usual, isUsual }: VariantSources): string {
  const parts: string[] = [];
  if (!isUsual || !isSameRule(own, usual)) {
    parts.push(`@${client.namespace}`);
    // Rules for some workloads of a namespace make several views of one namespace.
    if (own?.isForSomeWorkloads === true) parts.push(`/${own.rules[0]?.metadata.name ?? ""}`);
  }
  if (usesDistance(own, service)) {
    const locality = localityOf(client.labels);
    if (locality !== undefined) parts.push(`~${[locality.region, locality.zone, locality.subZone].join(".")}`);
  }
  const isMeant = service?.resolution === "none";
  if (client.kind === "sidecar" && (isMeant || (own !== undefined && namesCredential(own)))) {
    parts.push("~sidecar");
  }
  return parts.join("");
}

function isSameRule(left: MergedDestinationRule | undefined, right: MergedDestinationRule | undefined): boolean {
  if (left === undefined || right === undefined) return left === right;
  return left.rules.length === right.rules.length && left.rules.every((rule, index) => rule === right.rules[index]);
}

/** Whether endpoints may be ordered by how near they are to the client, so that clients of other places differ. */
function usesDistance(rule: MergedDestinationRule | undefined, service: MeshService | undefined): boolean {
  const policies = [rule?.trafficPolicy, ...(rule?.subsets ?? []).map(({ trafficPolicy }) => trafficPolicy)];
  const blocks = policies.flatMap((policy) => (policy === undefined ? [] : [policy, ...policy.portLevelSettings]));
  return (
    service?.trafficDistribution !== undefined ||
    blocks.some(
      ({ outlierDetection, loadBalancer }) => outlierDetection !== undefined || loadBalancer?.locality !== undefined,
    )
  );
}

/** A sidecar reads no Secret that a rule for everybody names. */
function namesCredential(rule: MergedDestinationRule): boolean {
  const policies = [rule.trafficPolicy, ...rule.subsets.map(({ trafficPolicy }) => trafficPolicy)];
  return policies
    .flatMap((policy) => (policy === undefined ? [] : [policy, ...policy.portLevelSettings]))
    .some(({ tls }) => tls?.credentialName !== undefined);
}
