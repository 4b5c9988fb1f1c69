import type { Subset, TrafficPolicy } from "../manifest/destination-rule.ts";
import type { DestinationRuleManifest } from "../manifest/manifest.ts";
import { defaultMeshConfig, type MeshConfig } from "../manifest/mesh-config.ts";
import { exportsOf, HostRules, type RuleGroup } from "./destination-rule-index.ts";
import { selects } from "./label-index.ts";
import type { HostName, Mesh } from "./mesh.ts";

/** The DestinationRules of one namespace and host, read as one. */
export interface MergedDestinationRule {
  /** The host as the rules name it, in full; a wildcard where they do. */
  readonly host: HostName;
  readonly namespace: string;
  /** The first policy that is set counts whole; there is no deep merge. */
  readonly trafficPolicy: TrafficPolicy | undefined;
  /** In order of the rules; of two with one name the first counts. */
  readonly subsets: readonly Subset[];
  /** The rules that were merged, oldest first; never empty. */
  readonly rules: readonly DestinationRuleManifest[];
  /** True where a workloadSelector chooses the clients. */
  readonly isForSomeWorkloads: boolean;
}

export interface DestinationRuleClient {
  /** The namespace of the workload that sends the request; for a gateway usually `istio-system`. */
  readonly clientNamespace: string;
  /** Its labels, which a `workloadSelector` looks at; none where they are absent. */
  readonly clientLabels?: Readonly<Record<string, string>> | undefined;
  /** Istio's defaults where absent. */
  readonly config?: Pick<MeshConfig, "rootNamespace" | "defaultDestinationRuleExportTo"> | undefined;
}

type MeshForLookup = Pick<Mesh, "destinationRules" | "services">;

/**
 * The DestinationRule that counts when a client in `clientNamespace` calls `host` (a full name). The first namespace
 * with a rule for the host wins: the client's (unless that is the root namespace, where only private rules count at
 * this point), then the service's, then the root namespace; rules of different namespaces are never merged. A rule for
 * the client's own workload wins over one for all. Source: Istio `pilot/pkg/model/push_context.go` (destinationRule),
 * `pilot/pkg/model/sidecar.go` (SidecarScope.DestinationRule).
 */
export function findDestinationRule(
  mesh: MeshForLookup,
  host: HostName,
  client: DestinationRuleClient,
): MergedDestinationRule | undefined {
  const { clientNamespace, config = defaultMeshConfig } = client;
  const index = indexOf(mesh.destinationRules, config);
  const isRoot = clientNamespace === config.rootNamespace;
  const home = index.get(clientNamespace);
  const own = (isRoot ? home?.private : home?.local)?.find(host);
  if (own !== undefined) {
    return choose(own.groups, own.host, client);
  }
  for (const namespace of [mesh.services.get(host)?.namespace, config.rootNamespace]) {
    const found = namespace === undefined ? undefined : index.get(namespace)?.exported.find(host);
    const visible = (found?.groups ?? []).filter(({ exportTo }) => isVisible(exportTo, clientNamespace));
    if (found !== undefined && visible.length > 0) {
      return choose(visible, found.host, client);
    }
  }
  return undefined;
}

/** Every DestinationRule for a host in any namespace, whoever may see it; for messages that explain a failed lookup. */
export function destinationRulesFor(mesh: MeshForLookup, host: HostName): readonly DestinationRuleManifest[] {
  const found = [...indexOf(mesh.destinationRules, defaultMeshConfig).values()].flatMap((rules) =>
    rules.every.all(host),
  );
  return [...new Set(found)];
}

/** What a lookup searches in one namespace. */
interface NamespaceRules {
  /** For clients in it: those that are exported at home. */
  readonly local: HostRules;
  /** For clients elsewhere: all but the private ones. */
  readonly exported: HostRules;
  /** Those for the namespace itself alone. */
  readonly private: HostRules;
  readonly every: HostRules;
}

type RulesByNamespace = ReadonlyMap<string, NamespaceRules>;

/** Keyed by the list itself, so that looking up ten thousand hosts in one mesh sorts its rules once. */
const indexes = new WeakMap<readonly DestinationRuleManifest[], Map<boolean, RulesByNamespace>>();

function indexOf(
  rules: readonly DestinationRuleManifest[],
  { defaultDestinationRuleExportTo }: Pick<MeshConfig, "defaultDestinationRuleExportTo">,
): RulesByNamespace {
  const isPrivateByDefault = defaultDestinationRuleExportTo.includes(".");
  const byDefault = indexes.get(rules) ?? new Map<boolean, RulesByNamespace>();
  indexes.set(rules, byDefault);
  const known = byDefault.get(isPrivateByDefault);
  if (known !== undefined) {
    return known;
  }
  const index = buildIndex(rules, isPrivateByDefault);
  byDefault.set(isPrivateByDefault, index);
  return index;
}

function buildIndex(rules: readonly DestinationRuleManifest[], isPrivateByDefault: boolean): RulesByNamespace {
  const index = new Map<string, NamespaceRules>();
  for (const rule of rules.toSorted(selectorsFirst)) {
    const { namespace } = rule.metadata;
    let entry = index.get(namespace);
    if (entry === undefined) {
      entry = { local: new HostRules(), exported: new HostRules(), private: new HostRules(), every: new HostRules() };
      index.set(namespace, entry);
    }
    entry.every.add(rule);
    const exportTo = exportsOf(rule);
    if (exportTo.size === 0 || ["*", ".", namespace].some((name) => exportTo.has(name))) {
      entry.local.add(rule);
    }
    const isPrivate =
      exportTo.size === 0 ? isPrivateByDefault : exportTo.size === 1 && (exportTo.has(".") || exportTo.has(namespace));
    (isPrivate ? entry.private : entry.exported).add(rule);
  }
  return index;
}

/** Stable, so that age decides among the others. */
function selectorsFirst(left: DestinationRuleManifest, right: DestinationRuleManifest): number {
  return Number(left.spec.workloadSelector === undefined) - Number(right.spec.workloadSelector === undefined);
}

function isVisible(exportTo: ReadonlySet<string>, namespace: string): boolean {
  return exportTo.size === 0 || exportTo.has("*") || exportTo.has(namespace);
}

/** The first that selects the client's workload, else the last that is for all. */
function choose(
  groups: readonly RuleGroup[],
  host: HostName,
  { clientNamespace, clientLabels = {} }: DestinationRuleClient,
): MergedDestinationRule | undefined {
  const chosen =
    groups.find(
      ({ rules, selector }) =>
        selector !== undefined && rules[0]?.metadata.namespace === clientNamespace && selects(selector, clientLabels),
    ) ?? groups.findLast(({ selector }) => selector === undefined);
  return chosen === undefined ? undefined : mergeGroup(chosen, host);
}

const merged = new WeakMap<RuleGroup, MergedDestinationRule>();

function mergeGroup(group: RuleGroup, host: HostName): MergedDestinationRule {
  const known = merged.get(group);
  if (known !== undefined) {
    return known;
  }
  const { rules, selector } = group;
  const subsets = new Map<string, Subset>();
  for (const subset of rules.flatMap((rule) => rule.spec.subsets)) {
    if (!subsets.has(subset.name)) {
      subsets.set(subset.name, subset);
    }
  }
  const result = {
    host,
    namespace: rules[0]?.metadata.namespace ?? "",
    trafficPolicy: rules.find((rule) => rule.spec.trafficPolicy !== undefined)?.spec.trafficPolicy,
    subsets: [...subsets.values()],
    rules,
    isForSomeWorkloads: selector !== undefined,
  };
  merged.set(group, result);
  return result;
}
