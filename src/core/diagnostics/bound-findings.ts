import { blocksServing, diagnostic, type Diagnostic } from "./diagnostic.ts";

/** How many findings of one level are kept for one file; errors that keep `up` from serving count apart. */
const keptPerLevel = 100;

/**
 * Cuts the findings of one step to the first hundred of each level and file, as reading does it, so that one wrong name
 * that ten thousand objects use does not drown everything else. What was cut is counted in one line for each.
 * @param about completes "There are 5 more errors …", such as `of references in it`
 */
export function boundFindings(findings: readonly Diagnostic[], about: string): readonly Diagnostic[] {
  const counts = new Map<string, { readonly first: Diagnostic; count: number }>();
  const kept: Diagnostic[] = [];
  for (const finding of findings) {
    const key = `${finding.level} ${blocksServing(finding)} ${finding.at?.file ?? ""}`;
    const group = counts.get(key) ?? { first: finding, count: 0 };
    counts.set(key, group);
    group.count += 1;
    if (group.count <= keptPerLevel) {
      kept.push(finding);
    }
  }
  for (const { first, count } of counts.values()) {
    if (count > keptPerLevel) {
      kept.push(cutLine(first, count - keptPerLevel, about));
    }
  }
  return kept;
}

/** It weighs what it counts, so that findings which nobody sees do not pass for none. */
function cutLine({ level, at }: Diagnostic, left: number, about: string): Diagnostic {
  const noun = level === "info" ? "note" : level;
  const counted = left === 1 ? `is 1 more ${noun}` : `are ${left} more ${noun}s`;
  const message = `There ${counted} ${about}.`;
  const hint = `Correct the first ${keptPerLevel} and check again.`;
  const place = at === undefined ? undefined : { ...at, line: 1, column: 1 };
  return { ...diagnostic("KIR1011", { message, hint, at: place }), level };
}
