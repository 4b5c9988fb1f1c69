import type { MovePlan, SplitChange, VersionName } from "../../core/release/move/move.ts";

export interface VersionShare {
  readonly name: VersionName;
  readonly percent: number;
}

/** Percent with two decimals, 0 where the rule sends nothing. */
export function sharePercent(weights: Readonly<Record<string, number>>, destinations: readonly string[]): number {
  const total = Object.values(weights).reduce((sum, weight) => sum + weight, 0);
  const part = destinations.reduce((sum, destination) => sum + (weights[destination] ?? 0), 0);
  return total === 0 ? 0 : Math.round((part / total) * 10_000) / 100;
}

/** As the plan calls it; destinations that it has no name for, by their own. */
export function versionOf(plan: MovePlan, destination: string): VersionName {
  return plan.versions.find((version) => version.destinations.includes(destination))?.name ?? destination;
}

/** What each version has of everybody's traffic after the plan: first the one that gains, then the largest. */
export function publicShares(plan: MovePlan): readonly VersionShare[] {
  const change = plan.changes.findLast(({ role }) => role === "public") ?? plan.changes.at(-1);
  return plan.versions
    .map(({ name, destinations }) => ({ name, percent: sharePercent(change?.after ?? {}, destinations) }))
    .filter(({ percent }) => percent > 0)
    .toSorted((left, right) => rank(plan, right) - rank(plan, left));
}

function rank({ to }: MovePlan, { name, percent }: VersionShare): number {
  return name === to ? 101 : percent;
}

/** Whether the old version still answers the public after the plan, so that none of its answers is too late. */
export function keepsOld(plan: MovePlan): boolean {
  const old = destinationsOf(plan, plan.from);
  return plan.changes.some(({ role, after }) => role === "public" && sharePercent(after, old) > 0);
}

/** Whether testers are sent to the old version, whose answers to them are as planned. */
export function previewsOld(plan: MovePlan): boolean {
  const old = destinationsOf(plan, plan.from);
  return plan.changes.some(({ role, after }) => role === "preview" && sharePercent(after, old) > 0);
}

function destinationsOf(plan: MovePlan, name: VersionName): readonly string[] {
  return plan.versions.find((version) => version.name === name)?.destinations ?? [];
}

/** What a shift's percentages are parts of, where destinations of other hosts keep a share of the rule. */
export function sharedPart(
  plan: MovePlan,
  { before, after }: SplitChange,
): { readonly percent: number; readonly names: readonly VersionName[] } | undefined {
  const [, , subset = "", host] = (destinationsOf(plan, plan.to)[0] ?? "").split("|");
  if (subset === "") return undefined;
  const own = Object.keys(after).filter((destination) => isSubsetOf(destination, host));
  const percent = sharePercent(after, own);
  if (percent === 0 || percent === 100) return undefined;
  const used = own.filter((destination) => (before[destination] ?? 0) + (after[destination] ?? 0) > 0);
  return { percent: Math.round(percent * 10) / 10, names: used.map((destination) => versionOf(plan, destination)) };
}

function isSubsetOf(destination: string, wanted: string | undefined): boolean {
  const [, , subset = "", host] = destination.split("|");
  return subset !== "" && host === wanted;
}
