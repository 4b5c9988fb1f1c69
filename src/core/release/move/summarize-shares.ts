import type { PlannedVersion, SplitChange, VersionName } from "./move.ts";
import { totalWeight } from "./split-weights.ts";

/** Percent by version, with two decimals, of the last public rule, which is the one that takes whoever no other rule took. */
export function summarizeShares(
  changes: readonly SplitChange[],
  options: { readonly versions: readonly PlannedVersion[]; readonly which: "before" | "after" },
): Readonly<Record<VersionName, number>> {
  const change = changes.findLast(({ role }) => role === "public") ?? changes.at(-1);
  const weights = change?.[options.which] ?? {};
  const total = totalWeight(weights);
  const shares: Record<VersionName, number> = {};
  for (const { name, destinations } of options.versions) {
    const weight = destinations.reduce((sum, destination) => sum + (weights[destination] ?? 0), 0);
    shares[name] = total === 0 ? 0 : Math.round((weight / total) * 10_000) / 100;
  }
  return shares;
}
