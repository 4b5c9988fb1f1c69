import { localName } from "../../routes/site-names.ts";
import type { MovableRule, RuleArm } from "./movable-rules.ts";
import type { VersionName } from "./move.ts";
import { hostSpellings } from "./resolve-service.ts";
import { type ShareGroup, weightOfGroup } from "./split-weights.ts";

/**
 * What can take each other's traffic in the rules of one VirtualService:
 *
 * | manifest                                     | family                | versions             |
 * |----------------------------------------------|-----------------------|----------------------|
 * | host nginx with subsets blue, green          | subsets of nginx      | blue, green          |
 * | hosts blue-api and green-api without subsets | hosts                 | blue-api, green-api  |
 * | subsets of fruit beside the host legacy      | subsets of fruit      | v1, v2               |
 * | the same, legacy asked for or with v1        | hosts                 | v1, v2, legacy       |
 *
 * Arms outside the family are foreign: their share is never touched.
 */
export type VersionFamily = { readonly kind: "subsets"; readonly host: string } | { readonly kind: "hosts" };

export function isSameFamily(left: VersionFamily, right: VersionFamily): boolean {
  return familyKey(left) === familyKey(right);
}

export function familyKey(family: VersionFamily): string {
  return family.kind === "subsets" ? `subsets ${family.host}` : "hosts";
}

/** How versions are called in one VirtualService; hosts in its own namespace by their short names. */
export interface VersionNaming {
  readonly namespace: string;
  /** Hosts that appear with more than one port, and so need it in their name. */
  readonly hostsWithPorts: ReadonlySet<string>;
  /** Subsets whose name another destination has too. */
  readonly sharedSubsets: ReadonlySet<string>;
}

export function buildVersionNaming(qualified: string, rules: readonly MovableRule[]): VersionNaming {
  const namespace = localName(qualified);
  const ports = new Map<string, Set<string>>();
  // What a rule leads to on another port is the same versions once more.
  const first = new Map(rules.toReversed().map((rule) => [rule.rule, rule]));
  for (const arm of [...first.values()].flatMap((rule) => rule.arms)) {
    if (arm.subset !== undefined) continue;
    ports.set(arm.host, (ports.get(arm.host) ?? new Set<string>()).add(arm.port));
  }
  const hostsWithPorts = new Set([...ports].filter(([, seen]) => seen.size > 1).map(([host]) => host));
  return { namespace, hostsWithPorts, sharedSubsets: findSharedSubsets(namespace, rules) };
}

function findSharedSubsets(namespace: string, rules: readonly MovableRule[]): ReadonlySet<string> {
  const hostsOf = new Map<string, Set<string>>();
  for (const { host, subset } of rules.flatMap((rule) => rule.arms)) {
    const name = subset ?? shortHost(host, namespace);
    hostsOf.set(name, (hostsOf.get(name) ?? new Set<string>()).add(host));
  }
  return new Set([...hostsOf].filter(([, hosts]) => hosts.size > 1).map(([name]) => name));
}

function shortHost(host: string, namespace: string): string {
  const ownSuffix = `.${namespace}.svc.cluster.local`;
  return host.endsWith(ownSuffix) ? host.slice(0, -ownSuffix.length) : host;
}

/** The name of an arm beside those of other families: `host/subset` where the subset alone could mean two. */
export function nameAmongAll(arm: RuleArm, naming: VersionNaming): VersionName {
  if (arm.subset === undefined || !naming.sharedSubsets.has(arm.subset)) return versionOfArm(arm, naming);
  return `${shortHost(arm.host, naming.namespace)}/${arm.subset}`;
}

/** The name of the version behind an arm: its subset, or its host where it has none. */
export function versionOfArm(arm: RuleArm, naming: VersionNaming): VersionName {
  if (arm.subset !== undefined) return arm.subset;
  const host = shortHost(arm.host, naming.namespace);
  return naming.hostsWithPorts.has(arm.host) ? `${host}:${arm.port}` : host;
}

/** A version that a word can mean. */
export interface VersionCandidate {
  readonly family: VersionFamily;
  readonly name: VersionName;
}

/** Everything that `text` can mean: a subset, `host/subset` where subsets share a name, or a host. */
export function findVersions(
  text: string,
  rules: readonly MovableRule[],
  naming: VersionNaming,
): readonly VersionCandidate[] {
  const found = new Map<string, VersionCandidate>();
  for (const arm of rules.flatMap((rule) => rule.arms)) {
    if (!isArmNamed(arm, text)) continue;
    const candidate = { family: familyOfArm(arm), name: versionOfArm(arm, naming) };
    found.set(`${familyKey(candidate.family)} ${candidate.name}`, candidate);
  }
  return [...found.values()];
}

/** Whether a word means this arm, by its subset, by both, or by its host. */
export function isArmNamed(arm: RuleArm, text: string): boolean {
  const spellings = hostSpellings(arm.host);
  if (arm.subset !== undefined) {
    return arm.subset === text || spellings.some((host) => `${host}/${arm.subset}` === text);
  }
  const lowerCase = text.toLowerCase();
  return spellings.some((host) => host === lowerCase || `${host}:${arm.port}` === lowerCase);
}

export function familyOfArm(arm: RuleArm): VersionFamily {
  return arm.subset === undefined ? { kind: "hosts" } : { kind: "subsets", host: arm.host };
}

/** A rule seen from one family: which of its arms are the family's, in groups whose weight is shared out as one. */
export interface FamilyRule {
  readonly rule: MovableRule;
  /** One group, or one for each port where a rule sends to several ports of a host with subsets. */
  readonly groups: readonly ShareGroup[];
  /** The family's arms that the manifest itself names in this rule. */
  readonly declaredVersions: ReadonlySet<VersionName>;
  /** The other arms that the manifest names here: nothing moves them, but their requests are counted by name. */
  readonly foreign: ShareGroup;
}

/** The rules that have arms of the family, whether or not these take traffic. */
export function buildFamilyRules(
  rules: readonly MovableRule[],
  family: VersionFamily,
  naming: VersionNaming,
): readonly FamilyRule[] {
  return rules.flatMap((rule) => {
    const own = rule.arms.filter((arm) => isSameFamily(familyOfArm(arm), family));
    if (own.length === 0) return [];
    // Who asks for a host means all that the rule sends anywhere, so subsets of other hosts are versions beside it.
    const arms = family.kind === "hosts" ? rule.arms : own;
    const nameOf = family.kind === "hosts" ? nameAmongAll : versionOfArm;
    const foreign = rule.arms.filter((arm) => arm.isDeclared && !arms.includes(arm));
    const groups = new Map<string, Map<VersionName, string>>();
    for (const arm of arms) {
      // Ports of one host are not versions of each other; ports of different hosts may well differ.
      const key = family.kind === "subsets" ? arm.port : "";
      const group = groups.get(key) ?? new Map<VersionName, string>();
      groups.set(key, group.set(nameOf(arm, naming), arm.destination));
    }
    const declared = arms.filter((arm) => arm.isDeclared).map((arm) => nameOf(arm, naming));
    return [
      {
        rule,
        groups: [...groups.values()],
        declaredVersions: new Set(declared),
        foreign: new Map(foreign.map((arm) => [nameAmongAll(arm, naming), arm.destination])),
      },
    ];
  });
}

export type WeightsOf = "declared" | "current";

/** The parts of a rule's traffic that go to each version of the family, 0 to 1; versions without any are left out. */
export function sharesOf({ rule, groups }: FamilyRule, which: WeightsOf): ReadonlyMap<VersionName, number> {
  const weights = rule[which];
  const total = Object.values(weights).reduce((sum, weight) => sum + weight, 0);
  const shares = new Map<VersionName, number>();
  for (const group of groups) {
    for (const [version, destination] of group) {
      const weight = weights[destination] ?? 0;
      if (weight > 0) shares.set(version, (shares.get(version) ?? 0) + weight / total);
    }
  }
  return shares;
}

/** The one version that gets all traffic of a rule, foreign arms included; undefined when there is no such. */
export function soleVersion(rule: FamilyRule, which: WeightsOf): VersionName | undefined {
  const [version, ...others] = sharesOf(rule, which).keys();
  return version !== undefined && others.length === 0 && foreignWeight(rule, which) === 0 ? version : undefined;
}

/** The one version that gets all that the rule sends to the family; foreign arms may have a share of their own. */
export function soleFamilyVersion(rule: FamilyRule, which: WeightsOf): VersionName | undefined {
  const [version, ...others] = sharesOf(rule, which).keys();
  return others.length === 0 ? version : undefined;
}

function foreignWeight({ rule, groups }: FamilyRule, which: WeightsOf): number {
  const weights = rule[which];
  const total = Object.values(weights).reduce((sum, weight) => sum + weight, 0);
  return total - groups.reduce((sum, group) => sum + weightOfGroup(weights, group), 0);
}
