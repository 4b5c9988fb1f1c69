/** What one list of objects has and the other lacks, by identity. */
export interface ListDifference<Item> {
  readonly added: readonly Item[];
  readonly removed: readonly Item[];
}

/** Mostly a few items of a list were replaced in place, which is found without a look at what is equal. */
export function compareLists<Item>(before: readonly Item[], after: readonly Item[]): ListDifference<Item> {
  if (before === after) return { added: [], removed: [] };
  if (before.length === after.length) {
    const { added, removed } = compareInPlace(before, after);
    if (added.length < after.length / 2 && new Set([...added, ...removed]).size === added.length + removed.length) {
      return { added, removed };
    }
  }
  const known = new Set(before);
  const kept = new Set(after);
  return { added: after.filter((item) => !known.has(item)), removed: before.filter((item) => !kept.has(item)) };
}

/** A plain loop, because of ten thousand items that are the same nothing has to be called. */
function compareInPlace<Item>(before: readonly Item[], after: readonly Item[]): ListDifference<Item> {
  const added: Item[] = [];
  const removed: Item[] = [];
  for (let index = 0; index < after.length; index += 1) {
    const [old, next] = [before[index], after[index]];
    if (old === next) continue;
    if (next !== undefined) added.push(next);
    if (old !== undefined) removed.push(old);
  }
  return { added, removed };
}
