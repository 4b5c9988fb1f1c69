import type { ChosenFamily } from "./choose-family.ts";
import { buildFamilyRoles, type FamilyRoles, largestVersion } from "./family-roles.ts";
import type { VersionName } from "./move.ts";
import { type Refusal, refuseInput, renderList } from "./refusals.ts";
import { FULL_SHARE, type Shares } from "./split-weights.ts";
import { type FamilyRule, sharesOf, soleFamilyVersion, soleVersion } from "./version-family.ts";

/** What one rule of the family is to do. */
export type RuleIntent =
  | { readonly kind: "divide"; readonly rule: FamilyRule; readonly role: "public" | "preview"; readonly shares: Shares }
  | {
      readonly kind: "stay";
      readonly rule: FamilyRule;
      readonly reason: string;
      /** It cannot be divided, and has what was asked for. */
      readonly isAsAsked?: true;
    };

export interface PlannedShares {
  readonly kind: "shares";
  readonly live: VersionName | undefined;
  readonly intents: readonly RuleIntent[];
}

export interface SharesInput {
  readonly chosen: ChosenFamily;
  readonly virtualService: string;
  /** `--route` names a conditional rule: it moves alone, as if it were public. */
  readonly isRouteAlone: boolean;
}

/** What the user asked for, with the questions answered that the request leaves open. */
interface Division {
  /** Hundredths of a percent of the named versions. */
  readonly named: Shares;
  /** What is left for the version that is not named. */
  readonly restShare: number;
  /** The version that takes it, where the rule has no better one of its own. */
  readonly rest: VersionName | undefined;
  /** The version that gets everything; undefined while traffic stays divided. */
  readonly full: VersionName | undefined;
  /** The version that is live, named or not. */
  readonly live: VersionName | undefined;
  /** The version that was live and loses its traffic: the one that testers are sent to afterwards. */
  readonly old: VersionName | undefined;
}

/** Divides the family's traffic: the named versions get their part, the live one the rest, previews the idle version. */
export function planShares({ chosen, virtualService, isRouteAlone }: SharesInput): PlannedShares | Refusal {
  const { rules } = chosen;
  const roles = isRouteAlone ? rolesOfOneRoute(rules) : buildFamilyRoles(rules);
  const division = buildDivision(chosen, roles);
  if (division.restShare > 0 && division.rest === undefined) {
    return refuseInput("KIR2007", `Which version of ${virtualService} takes the rest is not clear.`, {
      hint: `Give shares that add up to 100, among ${renderList(versionsOf(rules))}.`,
    });
  }

  const pinned = isRouteAlone ? new Set<FamilyRule>() : pinnedRules(rules, division);
  const publicIntents = roles.publicRules.map((rule) =>
    pinned.has(rule) ? stayPinned(rule) : dividePublic(rule, division),
  );
  const isSwitchedOver = publicIntents.every(
    (intent) =>
      pinned.has(intent.rule) || isAllOn(intent, division.full) || sharesOf(intent.rule, "current").size === 0,
  );
  const previewIntents = roles.previewRules.map((rule) =>
    pinned.has(rule) ? stayPinned(rule) : planPreview(rule, division, isSwitchedOver),
  );
  return { kind: "shares", live: roles.live, intents: [...publicIntents, ...previewIntents] };
}

function stayPinned(rule: FamilyRule): RuleIntent {
  const reason = "It and a rule beside it name a version each, so both stay reachable as they are.";
  return { kind: "stay", rule, reason };
}

function rolesOfOneRoute(rules: readonly FamilyRule[]): FamilyRoles {
  return {
    live: largestVersion(rules, { which: "current", without: new Set(), tieTo: undefined }),
    declaredLive: largestVersion(rules, { which: "declared", without: new Set(), tieTo: undefined }),
    publicRules: rules,
    previewRules: [],
  };
}

function buildDivision({ named: percentages, rules }: ChosenFamily, roles: FamilyRoles): Division {
  const named = new Map([...percentages].map(([version, percent]) => [version, Math.round(percent * 100)]));
  const restShare = FULL_SHARE - [...named.values()].reduce((sum, share) => sum + share, 0);
  const full = [...named].find(([, share]) => share === FULL_SHARE)?.[0];
  const unnamed = roles.publicRules.map((rule) => largestUnnamed(rule, named)).find((version) => version !== undefined);
  const live = roles.live !== undefined && !named.has(roles.live) ? roles.live : unnamed;
  return { named, restShare, full, live: roles.live, old: live, rest: live ?? idleVersion({ named, roles, rules }) };
}

/** Where traffic goes back to when all of it is on the named versions. */
function idleVersion(options: {
  readonly named: Shares;
  readonly roles: FamilyRoles;
  readonly rules: readonly FamilyRule[];
}): VersionName | undefined {
  const { named, roles, rules } = options;
  if (roles.declaredLive !== undefined && !named.has(roles.declaredLive)) return roles.declaredLive;
  const previewed = new Set(roles.previewRules.map((rule) => soleVersion(rule, "current")));
  for (const candidates of [[...previewed], versionsOf(rules)]) {
    const unnamed = candidates.filter((version) => version !== undefined && !named.has(version));
    if (unnamed.length === 1) return unnamed[0];
  }
  return undefined;
}

function versionsOf(rules: readonly FamilyRule[]): readonly VersionName[] {
  return [...new Set(rules.flatMap(({ groups }) => groups.flatMap((group) => [...group.keys()])))];
}

function largestUnnamed(rule: FamilyRule, named: Shares): VersionName | undefined {
  const unnamed = [...sharesOf(rule, "current")].filter(([version]) => !named.has(version));
  return unnamed.toSorted(([, left], [, right]) => right - left)[0]?.[0];
}

function dividePublic(rule: FamilyRule, division: Division): RuleIntent {
  const current = sharesOf(rule, "current");
  if (current.size === 0) return { kind: "stay", rule, reason: "It sends nothing to any of these versions." };
  const sole = soleVersion(rule, "current");
  if (rule.rule.arms.length < 2 && sole !== undefined) return stayAlone(rule, { sole, division });
  const named = [...division.named].filter(([, share]) => share > 0);
  const shares = new Map([...named, ...divideRest(rule, division)]);
  const missing = [...shares.keys()].filter((version) => !rule.groups.every((group) => group.has(version)));
  if (missing.length > 0) return { kind: "stay", rule, reason: `It has no way to ${renderList(missing)}.` };
  return { kind: "divide", rule, role: "public", shares };
}

/**
 * The live version makes room for the named ones, and takes what they give up; the others keep what they have, or give in
 * proportion where the live one has nothing left to give. Where it is named itself, all others share the rest as before.
 */
function divideRest(rule: FamilyRule, { named, restShare, rest, live }: Division): Shares {
  const unnamed = [...sharesOf(rule, "current")].filter(([version]) => !named.has(version));
  if (unnamed.length === 0) return new Map(rest === undefined || restShare === 0 ? [] : [[rest, restShare]]);
  const all = [...sharesOf(rule, "current").values()].reduce((sum, share) => sum + share, 0);
  const others = unnamed
    .filter(([version]) => version !== live)
    .map(([version, share]) => [version, Math.round((share / all) * FULL_SHARE)] as const);
  const wanted = others.reduce((sum, [, share]) => sum + share, 0);
  const hasLive = others.length < unnamed.length;
  const kept = scaleShares(others, hasLive ? Math.min(wanted, restShare) : restShare);
  const left = restShare - [...kept.values()].reduce((sum, share) => sum + share, 0);
  return hasLive && live !== undefined && left > 0 ? new Map([...kept, [live, left]]) : kept;
}

/** In proportion, in whole numbers that add up to `total`; versions that get nothing are left out. */
function scaleShares(shares: readonly (readonly [VersionName, number])[], total: number): Shares {
  const scaled = new Map<VersionName, number>();
  let left = total;
  let missing = shares.reduce((sum, [, share]) => sum + share, 0);
  for (const [version, share] of shares) {
    // Each takes its part of what is left, so that what rounding takes from one the next one gets.
    const part = missing === 0 ? 0 : Math.round((share * left) / missing);
    if (part > 0) scaled.set(version, part);
    left -= part;
    missing -= share;
  }
  return scaled;
}

/** A rule with one destination has no weights that could be moved, and no proof that they were. */
function stayAlone(
  rule: FamilyRule,
  { sole, division }: { readonly sole: VersionName; readonly division: Division },
): RuleIntent {
  const stay = { kind: "stay", rule, reason: `It has ${sole} and nothing else to send to.` } as const;
  return division.full === sole ? { ...stay, isAsAsked: true } : stay;
}

function isAllOn(intent: RuleIntent, version: VersionName | undefined): boolean {
  if (version === undefined) return false;
  if (intent.kind === "stay") return soleFamilyVersion(intent.rule, "current") === version;
  return intent.shares.get(version) === FULL_SHARE;
}

function planPreview(rule: FamilyRule, { full, old }: Division, isSwitchedOver: boolean): RuleIntent {
  const reached = soleVersion(rule, "current");
  if (isSwitchedOver && full !== undefined && old !== undefined && reached === full) {
    const hasOld = rule.groups.every((group) => group.has(old));
    if (!hasOld) return { kind: "stay", rule, reason: `It is for testers and has no way to ${old}.` };
    return { kind: "divide", rule, role: "preview", shares: new Map([[old, FULL_SHARE]]) };
  }
  return { kind: "stay", rule, reason: `It is for testers and keeps reaching ${reached}.` };
}

/**
 * Rules of one shape that name both sides of the move, such as `x-version: blue -> blue` and `x-version: green ->
 * green`, give each version a name of its own. Swapping them would send who asks for blue to green.
 */
function pinnedRules(rules: readonly FamilyRule[], { named, old, rest }: Division): ReadonlySet<FamilyRule> {
  const conditional = rules.filter(({ rule }) => rule.isConditional);
  const byShape = Map.groupBy(conditional, ({ rule }) => rule.conditionShape);
  const pinned = [...byShape.values()].filter((group) => {
    const reached = new Set(group.map((rule) => soleVersion(rule, "current")));
    const other = old ?? rest;
    return other !== undefined && reached.has(other) && [...named.keys()].some((version) => reached.has(version));
  });
  return new Set(pinned.flat());
}
