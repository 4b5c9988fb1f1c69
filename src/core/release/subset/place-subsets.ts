import type { SubsetDefinition, SubsetEdit } from "./subset-edit.ts";

/**
 * The subsets with those that are added: each at the place that the order gives it among the others, which stay as they
 * are, and behind them all where it gives none. One that is there already is left alone.
 */
export function placeSubsets(
  known: readonly SubsetDefinition[],
  { add, order = [] }: Pick<SubsetEdit, "add" | "order">,
): readonly SubsetDefinition[] {
  let placed = known;
  for (const subset of add) {
    if (placed.some(({ name }) => name === subset.name)) continue;
    const at = placeOf(subset.name, placed, order);
    placed = [...placed.slice(0, at), subset, ...placed.slice(at)];
  }
  return placed;
}

/** In front of the first that came after it, else behind the last that came before it. */
function placeOf(wanted: string, placed: readonly SubsetDefinition[], order: readonly string[]): number {
  const own = order.indexOf(wanted);
  if (own === -1) return placed.length;
  const next = placed.findIndex(({ name }) => order.indexOf(name) > own);
  if (next !== -1) return next;
  const last = placed.findLastIndex(({ name }) => order.includes(name));
  return last === -1 ? placed.length : last + 1;
}
