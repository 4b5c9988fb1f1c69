/** What one list of objects has and the other lacks, by identity. */
export interface ListDifference<Item> {
  readonly added: readonly Item[];
  readonly removed: readonly Item[];
}

/** Mostly a few items of a list were replaced in place, which is found without a look at what is equal. */
export function compareLists<Item>(before: readonly Item[], after: readonly Item[]): ListDifference<Item> {
  if (before === after) return { added: [], removed: [] };
  if (before.length === after.length) {
    const added = after.filter((item, index) => item !== before[index]);
    const removed = before.filter((item, index) => item !== after[index]);
    if (added.length < after.length / 2 && new Set([...added, ...removed]).size === added.length + removed.length) {
      return { added, removed };
    }
  }
  const known = new Set(before);
  const kept = new Set(after);
  return { added: after.filter((item) => !known.has(item)), removed: before.filter((item) => !kept.has(item)) };
}
