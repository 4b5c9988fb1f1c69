import type { RouteTable, SplitId, SplitWeights, WeightOverrides } from "../../routes/route-table.ts";
import { buildRoutedServices, buildServiceRules, type MovableRule } from "./movable-rules.ts";
import type { VersionName } from "./move.ts";
import { isSameShare, totalWeight } from "./split-weights.ts";
import { buildVersionNaming, versionOfArm, type VersionNaming } from "./version-family.ts";

/** One rule's shares as they should be, beside those that the proxies use. In percent by version. */
export interface ComparedRule {
  /** `namespace/name`. */
  readonly virtualService: string;
  /** Counts from 0. */
  readonly rule: number;
  readonly name: string | null;
  readonly wanted: Readonly<Record<VersionName, number>>;
  /** Null where the proxies could not be asked, or do not agree. */
  readonly observed: Readonly<Record<VersionName, number>> | null;
  /** Null where nothing was observed. */
  readonly isAsWanted: boolean | null;
}

export interface ComparisonInput {
  readonly table: RouteTable;
  /** What should be live, laid over what the manifests declare. */
  readonly wanted: WeightOverrides;
  /** What the proxies said; missing where they said nothing. */
  readonly observed: ReadonlyMap<SplitId, SplitWeights>;
  readonly services: ReadonlySet<string>;
  /** Only rules with one of these. */
  readonly splits: ReadonlySet<SplitId>;
}

/** The parts of a rule that show the same are one entry; one that differs from the others stands by itself. */
export function compareWeights(input: ComparisonInput): readonly ComparedRule[] {
  const { table, wanted, services, splits } = input;
  const compared = new Map<string, ComparedRule>();
  for (const service of buildRoutedServices(table)) {
    if (!services.has(service.virtualService)) continue;
    const rules = buildServiceRules(service, wanted).flatMap(({ movable }) => movable ?? []);
    const naming = buildVersionNaming(service.namespace, rules);
    for (const rule of rules) {
      if (!splits.has(rule.split)) continue;
      const entry = { virtualService: service.virtualService, ...compareRule(rule, { ...input, naming }) };
      compared.set(JSON.stringify(entry), entry);
    }
  }
  return [...compared.values()];
}

function compareRule(
  rule: MovableRule,
  { observed, naming }: Pick<ComparisonInput, "observed"> & { readonly naming: VersionNaming },
): Omit<ComparedRule, "virtualService"> {
  const seen = observed.get(rule.split);
  return {
    rule: rule.rule,
    name: rule.ruleName ?? null,
    wanted: sharesOf(rule, rule.current, naming),
    observed: seen === undefined ? null : sharesOf(rule, seen, naming),
    isAsWanted: seen === undefined ? null : isSameShare(rule.current, seen),
  };
}

/** Percent by version, with two decimals. */
export function sharesOf(
  { arms }: Pick<MovableRule, "arms">,
  weights: SplitWeights,
  naming: VersionNaming,
): Readonly<Record<VersionName, number>> {
  const total = totalWeight(weights);
  const shares: Record<VersionName, number> = {};
  for (const arm of arms) {
    const name = versionOfArm(arm, naming);
    const share = total === 0 ? 0 : ((weights[arm.destination] ?? 0) / total) * 100;
    shares[name] = Math.round(((shares[name] ?? 0) + share) * 100) / 100;
  }
  return shares;
}
