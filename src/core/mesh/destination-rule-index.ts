import type { DestinationRuleManifest } from "../manifest/manifest.ts";
import { coversHost, isWildcard } from "../manifest/host-pattern.ts";
import { resolveHost } from "./host-name.ts";
import type { HostName } from "./mesh.ts";

/** DestinationRules of one namespace and host that are read as one, the one that counts most first. */
export interface RuleGroup {
  readonly rules: readonly DestinationRuleManifest[];
  /** As the first of them writes it; empty is what the mesh says. */
  readonly exportTo: ReadonlySet<string>;
  /** Of the first of them; undefined is for every workload. */
  readonly selector: Readonly<Record<string, string>> | undefined;
}

/** Groups by host: those of an exact name, and those of wildcards. */
export class HostRules {
  readonly #exact = new Map<HostName, MutableGroup[]>();
  readonly #wildcard = new Map<HostName, MutableGroup[]>();
  #wildcardOrder: readonly HostName[] | undefined;

  add(rule: DestinationRuleManifest): void {
    const host = resolveHost(rule.spec.host, rule.metadata.namespace);
    const table = isWildcard(host) ? this.#wildcard : this.#exact;
    const groups = table.get(host);
    if (groups === undefined) {
      table.set(host, [newGroup(rule)]);
    } else {
      addToGroups(groups, rule);
    }
  }

  /** The groups of the most specific name that takes a host; of no other, even when none of them turns out to count. */
  find(host: HostName): { readonly host: HostName; readonly groups: readonly RuleGroup[] } | undefined {
    const exact = this.#exact.get(host);
    if (exact !== undefined) {
      return { host, groups: exact };
    }
    this.#wildcardOrder ??= [...this.#wildcard.keys()].toSorted(bySpecificity);
    const wildcard = this.#wildcardOrder.find((candidate) => coversHost(candidate, host));
    return wildcard === undefined ? undefined : { host: wildcard, groups: this.#wildcard.get(wildcard) ?? [] };
  }

  /** Every rule whose host takes a name. */
  all(host: HostName): readonly DestinationRuleManifest[] {
    const groups = [
      ...(this.#exact.get(host) ?? []),
      ...[...this.#wildcard].flatMap(([wildcard, list]) => (coversHost(wildcard, host) ? list : [])),
    ];
    return [...new Set(groups.flatMap(({ rules }) => rules))];
  }
}

interface MutableGroup extends RuleGroup {
  readonly rules: DestinationRuleManifest[];
}

function newGroup(rule: DestinationRuleManifest): MutableGroup {
  return { rules: [rule], exportTo: exportsOf(rule), selector: rule.spec.workloadSelector };
}

/**
 * Rules for the same callers are one; others stand beside them. What comes of a rule is decided by the last group that
 * it is compared with, as in Istio. Source: Istio `pilot/pkg/model/destination_rule.go`, mergeDestinationRule.
 */
function addToGroups(groups: MutableGroup[], rule: DestinationRuleManifest): void {
  const exportTo = exportsOf(rule);
  const selector = rule.spec.workloadSelector;
  let standsAlone = true;
  for (const group of groups) {
    const isSame = isSubsetOf(exportTo, group.exportTo) && isSubsetOf(group.exportTo, exportTo);
    const isWider = group.exportTo.size > 0 && isSubsetOf(group.exportTo, exportTo);
    standsAlone = !isSame;
    if (!isSame && !isWider) {
      continue;
    }
    if (selector !== undefined && group.selector !== undefined && !isSameSelector(selector, group.selector)) {
      standsAlone = true;
      continue;
    }
    if ((selector === undefined) === (group.selector === undefined)) {
      standsAlone = false;
    }
    group.rules.push(rule);
  }
  if (standsAlone) {
    groups.push(newGroup(rule));
  }
}

/** A rule for some workloads is for those of its own namespace alone. */
export function exportsOf({ spec }: DestinationRuleManifest): ReadonlySet<string> {
  return new Set(spec.workloadSelector === undefined ? spec.exportTo : ["."]);
}

function isSubsetOf(inner: ReadonlySet<string>, outer: ReadonlySet<string>): boolean {
  return [...inner].every((entry) => outer.has(entry));
}

type Labels = Readonly<Record<string, string>>;

function isSameSelector(left: Labels, right: Labels): boolean {
  const entries = Object.entries(left);
  return entries.length === Object.keys(right).length && entries.every(([key, value]) => right[key] === value);
}

/** Longest first, then by name, as Istio's MostSpecificHostMatch. */
function bySpecificity(left: string, right: string): number {
  return right.length - left.length || (left < right ? -1 : 1);
}
