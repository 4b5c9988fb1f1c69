import type { VersionName } from "./move.ts";
import { type FamilyRule, sharesOf, soleVersion, type WeightsOf } from "./version-family.ts";

/** Who comes to each rule of a family, and which version is live. */
export interface FamilyRoles {
  readonly live: VersionName | undefined;
  /** Live by the manifest: where traffic returns to when nothing else says so. */
  readonly declaredLive: VersionName | undefined;
  /** Rules that take anybody, and conditional rules that go along with them. */
  readonly publicRules: readonly FamilyRule[];
  /** Conditional rules that send everything to a version that is not live, for testers. */
  readonly previewRules: readonly FamilyRule[];
}

/**
 * Tells public rules from preview rules. Whether a conditional rule is a preview is read from the declared weights,
 * because halfway through a shift the current ones cannot say it: with 60 % on green, is `x-version: green -> green` the
 * testers' rule, or in-house users held on the version that has most traffic?
 */
export function buildFamilyRoles(rules: readonly FamilyRule[]): FamilyRoles {
  const unconditional = rules.filter(({ rule }) => !rule.isConditional);
  const deciding = unconditional.length > 0 ? unconditional : rules;
  const declaredLive = largestVersion(deciding, { which: "declared", without: new Set(), tieTo: undefined });

  const previewRules = rules.filter((rule) => {
    const declared = soleVersion(rule, "declared");
    const isPreview = rule.rule.isConditional && declared !== undefined && declared !== declaredLive;
    return isPreview && soleVersion(rule, "current") !== undefined;
  });
  const idle = new Set(
    previewRules
      .filter((rule) => !isPinned(rule, rules, declaredLive))
      .map((rule) => soleVersion(rule, "current"))
      .filter((version) => version !== undefined),
  );
  const live = largestVersion(deciding, { which: "current", without: idle, tieTo: declaredLive });
  return { live, declaredLive, publicRules: rules.filter((rule) => !previewRules.includes(rule)), previewRules };
}

/** A rule beside which another of the same shape sends to the live version says nothing about who is idle. */
function isPinned(rule: FamilyRule, rules: readonly FamilyRule[], declaredLive: VersionName | undefined): boolean {
  return rules.some(
    (other) =>
      other.rule.isConditional &&
      other.rule.conditionShape === rule.rule.conditionShape &&
      soleVersion(other, "declared") === declaredLive,
  );
}

interface LargestOptions {
  readonly which: WeightsOf;
  /** Versions to pass over as long as another one has a share. */
  readonly without: ReadonlySet<VersionName>;
  readonly tieTo: VersionName | undefined;
}

/** The version with the largest share, by the catch-all rules where there are any. */
export function largestVersion(rules: readonly FamilyRule[], options: LargestOptions): VersionName | undefined {
  const catchAll = rules.filter(({ rule }) => rule.isCatchAll && !rule.isConditional);
  const shares = new Map<VersionName, number>();
  for (const rule of catchAll.length > 0 ? catchAll : rules) {
    for (const [version, share] of sharesOf(rule, options.which)) {
      shares.set(version, (shares.get(version) ?? 0) + share);
    }
  }
  const preferred = [...shares].filter(([version]) => !options.without.has(version));
  const candidates = preferred.length > 0 ? preferred : [...shares];
  const most = Math.max(...candidates.map(([, share]) => share));
  // Sums of fractions of the same weights may differ in the last bit.
  const tied = candidates.filter(([, share]) => share > most - 1e-9).map(([version]) => version);
  return tied.find((version) => version === options.tieTo) ?? tied[0];
}
