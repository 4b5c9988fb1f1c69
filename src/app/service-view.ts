import type { RouteTable, SplitWeights, WeightOverrides } from "../core/routes/route-table.ts";
import { type ManagedSplit, splitsOf, versionOf, weightsOf } from "../core/routes/weights.ts";

/** One VirtualService whose traffic can be moved, as people look at it: rules, versions, and where each version is. */
export interface ServiceView {
  /** `namespace/name`. */
  readonly virtualService: string;
  readonly domains: readonly string[];
  /** The version with most of the public traffic; undefined when the public rules have no weight at all. */
  readonly live: string | undefined;
  readonly rules: readonly RuleView[];
  readonly versions: readonly VersionView[];
  /** Whether any weight differs from what the manifest declares. */
  readonly isMoved: boolean;
}

export interface RuleView {
  readonly rule: number;
  readonly name: string | undefined;
  readonly role: "public" | "preview";
  /** Shares in percent by version. */
  readonly shares: Readonly<Record<string, number>>;
}

export interface VersionView {
  readonly name: string;
  readonly role: "live" | "idle" | "preview" | "split";
  readonly destinations: readonly string[];
}

/** Reads every movable VirtualService of the table with the current weights laid over the declared ones. */
export function buildServiceViews(table: RouteTable, current: WeightOverrides): readonly ServiceView[] {
  const byService = Map.groupBy(splitsOf(table).values(), (split) => split.virtualService);
  return [...byService]
    .map(([virtualService, splits]) => buildServiceView(virtualService, splits, current))
    .toSorted((one, other) => (one.virtualService < other.virtualService ? -1 : 1));
}

function buildServiceView(
  virtualService: string,
  splits: readonly ManagedSplit[],
  current: WeightOverrides,
): ServiceView {
  const inOrder = splits.toSorted((one, other) => one.rule - other.rule);
  const rules = inOrder.map((split) => ({
    rule: split.rule,
    name: split.ruleName,
    role: split.role,
    shares: sharesByVersion(weightsNow(split, current)),
  }));
  const live = liveVersion(rules);
  return {
    virtualService,
    domains: [...new Set(inOrder.flatMap((split) => split.domains))],
    live,
    rules,
    versions: buildVersions(inOrder, rules, live),
    isMoved: inOrder.some((split) => differs(weightsOf(split.split), weightsNow(split, current))),
  };
}

function weightsNow(split: ManagedSplit, current: WeightOverrides): SplitWeights {
  return current.get(split.id) ?? weightsOf(split.split);
}

/** Adds up by version, in percent with two decimals. */
export function sharesByVersion(weights: SplitWeights): Readonly<Record<string, number>> {
  const sum = Object.values(weights).reduce((total, weight) => total + weight, 0);
  const shares: Record<string, number> = {};
  for (const [destination, weight] of Object.entries(weights)) {
    const version = versionOf(destination);
    const percent = sum === 0 ? 0 : (weight * 100) / sum;
    shares[version] = Math.round(((shares[version] ?? 0) + percent) * 100) / 100;
  }
  return shares;
}

/** The last public rule is the one that takes everybody; earlier ones are special cases of it. */
function liveVersion(rules: readonly RuleView[]): string | undefined {
  const deciding = rules.findLast((rule) => rule.role === "public") ?? rules.at(-1);
  const ranked = Object.entries(deciding?.shares ?? {}).toSorted(([, one], [, other]) => other - one);
  const [first] = ranked;
  return first !== undefined && first[1] > 0 ? first[0] : undefined;
}

function buildVersions(
  splits: readonly ManagedSplit[],
  rules: readonly RuleView[],
  live: string | undefined,
): readonly VersionView[] {
  const destinations = new Map<string, Set<string>>();
  for (const split of splits) {
    for (const arm of split.split.arms) {
      const version = versionOf(arm.destination);
      const known = destinations.get(version) ?? new Set<string>();
      destinations.set(version, known.add(arm.destination));
    }
  }
  return [...destinations].map(([name, ids]) => ({ name, role: roleOf(name, rules, live), destinations: [...ids] }));
}

function roleOf(version: string, rules: readonly RuleView[], live: string | undefined): VersionView["role"] {
  const takes = (role: RuleView["role"]) => rules.some((rule) => rule.role === role && (rule.shares[version] ?? 0) > 0);
  if (takes("public")) return version === live ? "live" : "split";
  return takes("preview") ? "preview" : "idle";
}

function differs(one: SplitWeights, other: SplitWeights): boolean {
  const names = new Set([...Object.keys(one), ...Object.keys(other)]);
  return [...names].some((name) => (one[name] ?? 0) !== (other[name] ?? 0));
}

