import { coversHost, isWildcard } from "../manifest/host-pattern.ts";
import type { Subset, TrafficPolicy } from "../manifest/destination-rule.ts";
import type { DestinationRuleManifest } from "../manifest/manifest.ts";
import { resolveHost, rootNamespace } from "./host-name.ts";
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
}

export interface DestinationRuleClient {
  /** The namespace of the workload that sends the request; for a gateway usually `istio-system`. */
  readonly clientNamespace: string;
}

type MeshForLookup = Pick<Mesh, "destinationRules" | "services">;

/** What a lookup searches, per namespace: rules by exact host, and wildcard hosts from most to least specific. */
interface NamespaceRules {
  readonly exact: Map<HostName, DestinationRuleManifest[]>;
  readonly wildcard: Map<HostName, DestinationRuleManifest[]>;
  wildcardOrder: readonly HostName[];
}

/**
 * The DestinationRule that counts when a client in `clientNamespace` calls `host` (a full name). The first namespace
 * with any rule for the host wins: the client's (unless that is the root namespace, where only private rules count at
 * this point), then the service's, then the root namespace; rules of different namespaces are never merged.
 * Source: Istio `pilot/pkg/model/push_context.go` (destinationRule), `pilot/pkg/model/destination_rule.go`.
 */
export function findDestinationRule(
  mesh: MeshForLookup,
  host: HostName,
  client: DestinationRuleClient,
): MergedDestinationRule | undefined {
  const { clientNamespace } = client;
  const index = indexOf(mesh.destinationRules);
  const own = findIn(index.get(clientNamespace), host, (rule) =>
    clientNamespace === rootNamespace ? isPrivate(rule) : isExportedTo(rule, clientNamespace),
  );
  if (own !== undefined) {
    return own;
  }
  const serviceNamespace = mesh.services.get(host)?.namespace;
  for (const namespace of [serviceNamespace, rootNamespace]) {
    if (namespace === undefined) {
      continue;
    }
    const exported = findIn(index.get(namespace), host, (rule) => isExportedTo(rule, clientNamespace));
    if (exported !== undefined) {
      return exported;
    }
  }
  return undefined;
}

/** Every DestinationRule for a host in any namespace, whoever may see it; for messages that explain a failed lookup. */
export function destinationRulesFor(mesh: MeshForLookup, host: HostName): readonly DestinationRuleManifest[] {
  const found: DestinationRuleManifest[] = [];
  for (const rules of indexOf(mesh.destinationRules).values()) {
    found.push(...(rules.exact.get(host) ?? []));
    for (const wildcard of rules.wildcardOrder) {
      if (coversHost(wildcard, host)) {
        found.push(...(rules.wildcard.get(wildcard) ?? []));
      }
    }
  }
  return found;
}

type RulesByNamespace = ReadonlyMap<string, NamespaceRules>;

/** Keyed by the list itself, so that looking up ten thousand hosts in one mesh sorts its rules once. */
const indexes = new WeakMap<readonly DestinationRuleManifest[], RulesByNamespace>();

function indexOf(rules: readonly DestinationRuleManifest[]): RulesByNamespace {
  const known = indexes.get(rules);
  if (known !== undefined) {
    return known;
  }
  const index = new Map<string, NamespaceRules>();
  for (const rule of rules) {
    const { namespace } = rule.metadata;
    const entry = index.get(namespace) ?? { exact: new Map(), wildcard: new Map(), wildcardOrder: [] };
    index.set(namespace, entry);
    const host = resolveHost(rule.spec.host, namespace);
    const table = isWildcard(host) ? entry.wildcard : entry.exact;
    const list = table.get(host);
    if (list === undefined) {
      table.set(host, [rule]);
    } else {
      list.push(rule);
    }
  }
  for (const entry of index.values()) {
    entry.wildcardOrder = [...entry.wildcard.keys()].toSorted(bySpecificity);
  }
  indexes.set(rules, index);
  return index;
}

/** Longest first, then by name, as Istio's MostSpecificHostMatch. */
function bySpecificity(left: string, right: string): number {
  return right.length - left.length || (left < right ? -1 : 1);
}

function findIn(
  rules: NamespaceRules | undefined,
  host: HostName,
  counts: (rule: DestinationRuleManifest) => boolean,
): MergedDestinationRule | undefined {
  if (rules === undefined) {
    return undefined;
  }
  const exact = mergeRules(host, (rules.exact.get(host) ?? []).filter(counts));
  if (exact !== undefined) {
    return exact;
  }
  for (const wildcard of rules.wildcardOrder) {
    if (!coversHost(wildcard, host)) {
      continue;
    }
    const merged = mergeRules(wildcard, (rules.wildcard.get(wildcard) ?? []).filter(counts));
    if (merged !== undefined) {
      return merged;
    }
  }
  return undefined;
}

/** Rules with another `exportTo` than the oldest one stay out: Istio merges only those that the same clients see. */
function mergeRules(host: HostName, visible: readonly DestinationRuleManifest[]): MergedDestinationRule | undefined {
  const oldest = visible[0];
  if (oldest === undefined) {
    return undefined;
  }
  const rules = visible.filter((rule) => exportKey(rule) === exportKey(oldest));
  const subsets = new Map<string, Subset>();
  for (const subset of rules.flatMap((rule) => rule.spec.subsets)) {
    if (!subsets.has(subset.name)) {
      subsets.set(subset.name, subset);
    }
  }
  return {
    host,
    namespace: oldest.metadata.namespace,
    trafficPolicy: rules.find((rule) => rule.spec.trafficPolicy !== undefined)?.spec.trafficPolicy,
    subsets: [...subsets.values()],
    rules,
  };
}

function exportKey(rule: DestinationRuleManifest): string {
  return exportsOf(rule).toSorted().join(",");
}

/** Namespaces, `*` for all; `.` is replaced by the rule's own. */
function exportsOf(rule: DestinationRuleManifest): readonly string[] {
  const { exportTo } = rule.spec;
  return exportTo.length === 0 ? ["*"] : exportTo.map((name) => (name === "." ? rule.metadata.namespace : name));
}

function isExportedTo(rule: DestinationRuleManifest, namespace: string): boolean {
  return exportsOf(rule).some((name) => name === "*" || name === namespace);
}

function isPrivate(rule: DestinationRuleManifest): boolean {
  return exportsOf(rule).every((name) => name === rule.metadata.namespace);
}
