import type { MovableRule } from "./movable-rules.ts";
import type { VersionName } from "./move.ts";
import { type Refusal, refuseInput, renderList, renderRule } from "./refusals.ts";
import {
  buildFamilyRules,
  familyKey,
  type FamilyRule,
  findVersions,
  isArmNamed,
  isSameFamily,
  nameAmongAll,
  sharesOf,
  soleFamilyVersion,
  type VersionCandidate,
  type VersionFamily,
  versionOfArm,
  type VersionNaming,
} from "./version-family.ts";

/** What a request is about: one family, its rules, and the versions asked for by the family's own names. */
export interface ChosenFamily {
  readonly kind: "family";
  readonly family: VersionFamily;
  /** The rules that belong together; with `--route`, that rule and the conditional ones beside it. */
  readonly rules: readonly FamilyRule[];
  /** Rules with arms of the family that this request is not about. */
  readonly apart: readonly FamilyRule[];
  readonly named: ReadonlyMap<VersionName, number>;
}

export interface FamilyChoice {
  readonly virtualService: string;
  readonly rules: readonly MovableRule[];
  readonly naming: VersionNaming;
  readonly to: Readonly<Record<string, number>>;
  /** The rule that `--route` names. */
  readonly route: MovableRule | undefined;
}

/** Finds the one family that all named versions belong to, and the rules it is about. */
export function chooseFamily(choice: FamilyChoice): ChosenFamily | Refusal {
  const words = Object.keys(choice.to);
  const found = words.map((text) => ({ text, candidates: findVersions(text, choice.rules, choice.naming) }));
  const unknown = found.find(({ candidates }) => candidates.length === 0);
  if (unknown !== undefined) return refuseUnknownVersion(unknown.text, choice);

  const shared = sharedFamilies(found.map(({ candidates }) => candidates));
  const onRoute = choice.route === undefined ? shared : shared.filter((family) => hasArms(choice, family));
  const [family, ...others] = onRoute;
  if (family === undefined) {
    const mixed = findAmongAll(choice);
    return mixed === undefined ? refuseNoFamily(words, choice) : chooseRules(choice, { kind: "hosts" }, mixed);
  }
  if (others.length > 0) return refuseSeveralFamilies(words, onRoute, choice);

  const named = new Map<VersionName, number>();
  for (const { text, candidates } of found) {
    const meant = candidates.filter((candidate) => isSameFamily(candidate.family, family));
    const [candidate, ...doubles] = meant;
    if (candidate === undefined || doubles.length > 0 || named.has(candidate.name)) {
      return refuseInput("KIR2004", `Which version ${text} means is not clear.`, {
        hint: `Name one of ${renderList(meant.map(({ name }) => name))} once.`,
      });
    }
    named.set(candidate.name, choice.to[text] ?? 0);
  }
  return chooseRules(choice, widenFamily(choice, family), named);
}

/** Subsets that have no share left can only get it back from the hosts beside them. */
function widenFamily({ rules, naming, route }: FamilyChoice, family: VersionFamily): VersionFamily {
  if (family.kind === "hosts") return family;
  const own = buildFamilyRules(rules, family, naming).filter(({ rule }) =>
    route === undefined ? !rule.isConditional : rule.rule === route.rule,
  );
  const isEmptied = own.length > 0 && own.every((rule) => sharesOf(rule, "current").size === 0);
  const hasHosts = own.some(({ rule }) => rule.arms.some((arm) => arm.subset === undefined));
  return isEmptied && hasHosts ? { kind: "hosts" } : family;
}

/** Subsets beside hosts are versions of each other where one rule names all that are asked for; undefined elsewhere. */
function findAmongAll({ rules, naming, to, route }: FamilyChoice): ReadonlyMap<VersionName, number> | undefined {
  for (const { arms } of rules.filter((rule) => route === undefined || rule.rule === route.rule)) {
    const declared = arms.filter(({ isDeclared }) => isDeclared);
    if (declared.every(({ subset }) => subset !== undefined)) continue;
    const named = Object.entries(to).map(([text, percent]) => {
      const [arm, ...doubles] = declared.filter((each) => isArmNamed(each, text));
      return arm === undefined || doubles.length > 0 ? undefined : ([nameAmongAll(arm, naming), percent] as const);
    });
    const found = new Map(named.filter((each) => each !== undefined));
    if (found.size === named.length) return found;
  }
  return undefined;
}

function sharedFamilies(candidates: readonly (readonly VersionCandidate[])[]): readonly VersionFamily[] {
  const families = new Map((candidates[0] ?? []).map(({ family }) => [familyKey(family), family]));
  return [...families.values()].filter((family) =>
    candidates.every((group) => group.some((candidate) => isSameFamily(candidate.family, family))),
  );
}

function hasArms({ route, naming }: FamilyChoice, family: VersionFamily): boolean {
  return route !== undefined && buildFamilyRules([route], family, naming).length > 0;
}

function chooseRules(
  choice: FamilyChoice,
  family: VersionFamily,
  named: ReadonlyMap<VersionName, number>,
): ChosenFamily | Refusal {
  const all = buildFamilyRules(choice.rules, family, choice.naming);
  const select = (rules: readonly FamilyRule[]): ChosenFamily => ({
    kind: "family",
    family,
    named,
    rules,
    apart: all.filter((rule) => !rules.includes(rule)),
  });
  const { route } = choice;
  if (route?.isConditional === true) return select(all.filter(({ rule }) => rule.rule === route.rule));
  if (family.kind === "subsets") {
    return select(route === undefined ? all : chooseSubsetRules({ route, all, named }));
  }
  if (route !== undefined)
    return select(withConditional({ chosen: all.filter(({ rule }) => rule.rule === route.rule), all, named }));
  return chooseHostRules({ choice, all, named, select });
}

/** Conditional rules go along with one public rule only when no other public rule is left behind. */
function chooseSubsetRules(options: {
  readonly route: MovableRule;
  readonly all: readonly FamilyRule[];
  readonly named: ReadonlyMap<VersionName, number>;
}): readonly FamilyRule[] {
  const { route, all, named } = options;
  const full = [...named].find(([, percent]) => percent === 100)?.[0];
  const others = all.filter(({ rule }) => rule.rule !== route.rule && !rule.isConditional);
  const isLast = others.every((rule) => full !== undefined && soleFamilyVersion(rule, "current") === full);
  return all.filter(({ rule }) => rule.rule === route.rule || (isLast && rule.isConditional));
}

/**
 * Hosts are versions of each other only where a rule says so: `/api -> api` and `/ -> web` are two services. Rules that
 * send to different hosts therefore have to be told apart, by the one that itself names the wanted host as an
 * alternative, or else by the user.
 */
function chooseHostRules(options: {
  readonly choice: FamilyChoice;
  readonly all: readonly FamilyRule[];
  readonly named: ReadonlyMap<VersionName, number>;
  readonly select: (rules: readonly FamilyRule[]) => ChosenFamily;
}): ChosenFamily | Refusal {
  const { choice, all, named, select } = options;
  const unconditional = all.filter(({ rule }) => !rule.isConditional);
  if (unconditional.length === 0) return select(all);
  if (!sendsToDifferentHosts(unconditional)) return select(withConditional({ chosen: unconditional, all, named }));
  const alternatives = unconditional.filter(
    ({ declaredVersions }) =>
      declaredVersions.size > 1 && [...named.keys()].every((name) => declaredVersions.has(name)),
  );
  if (alternatives.length > 0 && !sendsToDifferentHosts(alternatives)) {
    return select(withConditional({ chosen: alternatives, all, named }));
  }
  return refuseSeveralRules([...named.keys()], unconditional, choice);
}

/** Adds the conditional rules that send to nothing but versions of what is moved. */
function withConditional(options: {
  readonly chosen: readonly FamilyRule[];
  readonly all: readonly FamilyRule[];
  readonly named: ReadonlyMap<VersionName, number>;
}): readonly FamilyRule[] {
  const { chosen, all, named } = options;
  const versions = new Set(named.keys());
  for (const rule of chosen) {
    for (const version of [...rule.declaredVersions, ...sharesOf(rule, "current").keys()]) versions.add(version);
  }
  return all.filter(
    (rule) =>
      chosen.includes(rule) ||
      (rule.rule.isConditional && [...sharesOf(rule, "current").keys()].every((version) => versions.has(version))),
  );
}

/** Asked of the manifest alone: halfway through a shift, weights would tell rules apart that began it together. */
function sendsToDifferentHosts(rules: readonly FamilyRule[]): boolean {
  const destinations = rules.map((rule) => soleFamilyVersion(rule, "declared") ?? [...rule.declaredVersions].join(" "));
  return new Set(destinations).size > 1;
}

function refuseUnknownVersion(text: string, { rules, naming, virtualService }: FamilyChoice): Refusal {
  const known = [...new Set(rules.flatMap((rule) => rule.arms.map((arm) => versionOfArm(arm, naming))))].toSorted();
  return refuseInput("KIR2003", `${virtualService} has no version ${text}.`, {
    hint: `It has ${renderList(known)}.`,
    details: { known },
  });
}

function refuseNoFamily(words: readonly string[], { route, virtualService }: FamilyChoice): Refusal {
  const message =
    route === undefined
      ? `${renderList(words)} are not versions of the same service in ${virtualService}.`
      : `${renderRule(route)} of ${virtualService} cannot send to ${renderList(words)}.`;
  return refuseInput("KIR2004", message, { hint: "Name versions that one rule can divide its traffic between." });
}

function refuseSeveralFamilies(
  words: readonly string[],
  families: readonly VersionFamily[],
  choice: FamilyChoice,
): Refusal {
  const rules = families.flatMap((family) => buildFamilyRules(choice.rules, family, choice.naming));
  const hosts = families.map((family) => (family.kind === "subsets" ? family.host : "a host of its own"));
  return refuseInput("KIR2004", `${renderList(words)} exists for ${renderList(hosts)}.`, {
    hint: `Say which with --route NAME or NUMBER: ${renderRules(rules)}; or with --to HOST/SUBSET.`,
    details: { rules: ruleDetails(rules) },
  });
}

function refuseSeveralRules(
  words: readonly string[],
  rules: readonly FamilyRule[],
  { virtualService }: FamilyChoice,
): Refusal {
  return refuseInput("KIR2004", `Several rules of ${virtualService} could be moved to ${renderList(words)}.`, {
    hint: `Say which with --route NAME or NUMBER: ${renderRules(rules)}.`,
    details: { rules: ruleDetails(rules) },
  });
}

function renderRules(rules: readonly FamilyRule[]): string {
  return renderList([
    ...new Set(rules.map((rule) => `${renderRule(rule.rule)} to ${renderList([...sharesOf(rule, "current").keys()])}`)),
  ]);
}

function ruleDetails(rules: readonly FamilyRule[]): readonly { rule: number; name: string | undefined }[] {
  return rules.map(({ rule }) => ({ rule: rule.rule, name: rule.ruleName }));
}
