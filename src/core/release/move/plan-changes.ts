import type { DestinationId, RouteTable, SplitWeights } from "../../routes/route-table.ts";
import type { MovePlan, PlannedVersion, SplitChange, UntouchedRule, VersionName } from "./move.ts";
import type { PlannedShares, RuleIntent } from "./plan-shares.ts";
import { type Refusal, refuseInput, refuseState, renderList, renderRule } from "./refusals.ts";
import { divideGroups, isSameShare } from "./split-weights.ts";
import { type FamilyRule, sharesOf } from "./version-family.ts";

export interface PlannedChanges extends Pick<MovePlan, "from" | "to" | "changes" | "stays" | "versions"> {
  readonly kind: "changes";
}

export interface ChangesInput {
  readonly table: RouteTable;
  readonly shares: PlannedShares;
  /** The named version with the largest share. */
  readonly wanted: VersionName;
  readonly virtualService: string;
}

interface DividedRule {
  readonly rule: FamilyRule;
  readonly change: SplitChange;
}

/** Turns shares into weights, rule by rule, and drops the rules that already have them. */
export function planChanges({ table, shares, wanted, virtualService }: ChangesInput): PlannedChanges | Refusal {
  const divided: DividedRule[] = [];
  for (const intent of shares.intents) {
    if (intent.kind === "stay") continue;
    const change = buildChange(intent);
    if (change === undefined) return refuseTooFine(intent.rule);
    divided.push({ rule: intent.rule, change });
  }
  const moved = divided.filter(({ change }) => !isSameShare(change.before, change.after));
  // Where nothing has to move, the weights are applied all the same, so that the data plane proves them.
  const taken = moved.length > 0 ? moved : divided;
  const [first] = taken;
  const left = moved.length > 0 ? [] : shares.intents.filter(isLeftBehind);
  if (first === undefined || left.length > 0) return refuseNothing({ shares, wanted, virtualService });

  const empty = versionsWithoutEndpoints(table, moved);
  if (empty.length > 0) return refuseEmpty(empty, { table, taken, virtualService });
  const direction = directionOf(moved);
  return {
    kind: "changes",
    from: direction.from ?? shares.live ?? wanted,
    to: direction.to ?? shares.live ?? wanted,
    changes: taken.map(({ change }) => change).toSorted((left, right) => left.rule - right.rule),
    stays: staysOf(shares.intents, { divided, taken }),
    versions: versionsOf(taken),
  };
}

/** A rule for everybody that cannot do as asked: with nothing else to move, to call that done would be a lie. */
function isLeftBehind(intent: RuleIntent): boolean {
  if (intent.kind !== "stay" || intent.isAsAsked) return false;
  return !intent.rule.rule.isConditional && sharesOf(intent.rule, "current").size > 0;
}

function refuseNothing({ shares, wanted, virtualService }: Omit<ChangesInput, "table">): Refusal {
  const rules = shares.intents.map((intent) => intent.rule);
  const known = [
    ...new Set(rules.flatMap(({ groups, foreign }) => [...groups, foreign].flatMap((group) => [...group.keys()]))),
  ];
  const hasChoice = rules.some(({ rule }) => rule.arms.length > 1);
  const message = hasChoice
    ? `No rule of ${virtualService} can send its traffic to ${wanted}.`
    : `${virtualService} has nothing but ${renderList(known)}, so there is nothing to move.`;
  return refuseInput("KIR2008", message, { hint: renderStays(shares.intents), details: { known } });
}

function buildChange(intent: Extract<RuleIntent, { kind: "divide" }>): SplitChange | undefined {
  const { rule, split, ruleName, declared, current } = intent.rule.rule;
  const divided = divideGroups(
    current,
    intent.rule.groups.map((group) => ({ group, shares: intent.shares })),
  );
  if (divided === undefined) return undefined;
  const after = canonicalWeights(divided, { declared, current });
  return { split, rule, ruleName, role: intent.role, declared, before: current, after };
}

/** Of equal shares the numbers that were there before, or else those of the manifest, which the user knows. */
function canonicalWeights(
  weights: SplitWeights,
  { declared, current }: { readonly declared: SplitWeights; readonly current: SplitWeights },
): SplitWeights {
  if (isSameShare(weights, current)) return current;
  return isSameShare(weights, declared) ? declared : weights;
}

function staysOf(
  intents: readonly RuleIntent[],
  { divided, taken }: { readonly divided: readonly DividedRule[]; readonly taken: readonly DividedRule[] },
): readonly UntouchedRule[] {
  const refused = intents.filter((intent) => intent.kind === "stay");
  const same = divided.filter((rule) => !taken.includes(rule));
  return [
    ...refused.map(({ rule: { rule }, reason }) => ({ rule: rule.rule, ruleName: rule.ruleName, reason })),
    ...same.map(({ change: { rule, ruleName } }) => ({ rule, ruleName, reason: "It already is as asked." })),
  ];
}

/** The version that loses most and the one that gains most, over the public rules; preview rules where only they move. */
function directionOf(moved: readonly DividedRule[]): { from: VersionName | undefined; to: VersionName | undefined } {
  const publicRules = moved.filter(({ change }) => change.role === "public");
  const gains = new Map<VersionName, number>();
  for (const { rule, change } of publicRules.length > 0 ? publicRules : moved) {
    for (const [version, gain] of gainsOf(rule, change)) gains.set(version, (gains.get(version) ?? 0) + gain);
  }
  const ranked = [...gains].toSorted(([, left], [, right]) => left - right);
  return { from: ranked.at(0)?.[0], to: ranked.at(-1)?.[0] };
}

/** By how much of the rule's traffic each version gains, negative where it loses. */
function gainsOf(rule: FamilyRule, change: SplitChange): ReadonlyMap<VersionName, number> {
  const before = sharesOf(rule, "current");
  const after = sharesOf({ ...rule, rule: { ...rule.rule, current: change.after } }, "current");
  const versions = new Set([...before.keys(), ...after.keys()]);
  return new Map([...versions].map((version) => [version, (after.get(version) ?? 0) - (before.get(version) ?? 0)]));
}

function versionsOf(taken: readonly DividedRule[]): readonly PlannedVersion[] {
  const versions = new Map<VersionName, Set<DestinationId>>();
  for (const group of taken.flatMap(({ rule }) => [...rule.groups, rule.foreign])) {
    for (const [version, destination] of group) {
      versions.set(version, (versions.get(version) ?? new Set<DestinationId>()).add(destination));
    }
  }
  return [...versions].map(([name, destinations]) => ({ name, destinations: [...destinations] }));
}

/** Versions that would take public traffic with nowhere to send it. */
function versionsWithoutEndpoints(table: RouteTable, moved: readonly DividedRule[]): readonly VersionName[] {
  const empty = new Set<VersionName>();
  for (const { rule, change } of moved) {
    if (change.role !== "public") continue;
    for (const group of rule.groups) {
      for (const [version, destination] of group) {
        const gains = (change.after[destination] ?? 0) > 0 && (change.before[destination] ?? 0) === 0;
        if (gains && !hasEndpoints(table, destination)) empty.add(version);
      }
    }
  }
  return [...empty];
}

function hasEndpoints(table: RouteTable, destination: DestinationId): boolean {
  return (table.destinations.get(destination)?.endpoints.length ?? 0) > 0;
}

function refuseEmpty(
  empty: readonly VersionName[],
  options: { readonly table: RouteTable; readonly taken: readonly DividedRule[]; readonly virtualService: string },
): Refusal {
  const counts = versionsOf(options.taken).map(({ name, destinations }) => ({
    name,
    count: Math.min(...destinations.map((id) => options.table.destinations.get(id)?.endpoints.length ?? 0)),
  }));
  const known = counts.filter(({ count }) => count > 0).map(({ name }) => name);
  return refuseState("KIR2010", `${renderList(empty)} of ${options.virtualService} has no endpoints.`, {
    hint: `Give it a workload with its labels. Endpoints: ${counts.map(({ name, count }) => `${name} ${count}`).join(", ")}.`,
    details: { known, endpoints: Object.fromEntries(counts.map(({ name, count }) => [name, count])) },
  });
}

function refuseTooFine({ rule }: FamilyRule): Refusal {
  return refuseState("KIR2009", `The weights of ${renderRule(rule)} cannot be divided that finely.`, {
    hint: "Use a rounder percentage, or smaller weights in the manifest: they may add up to 4294967295 at most.",
  });
}

function renderStays(intents: readonly RuleIntent[]): string {
  const reasons = intents.flatMap((intent) =>
    intent.kind === "stay" ? [`${renderRule(intent.rule.rule)}: ${intent.reason}`] : [],
  );
  return reasons.join(" ");
}
