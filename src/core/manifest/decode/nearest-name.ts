/**
 * The known name that was probably meant: the same but for case and underscores, else the one with the fewest edits,
 * at most a third of the longer one, else the shortest that begins alike (`num` for `number`, `retry` for `retries`).
 * Long names are not compared, so the cost stays bounded.
 */
export function nearestName(name: string, known: readonly string[]): string | undefined {
  if (name.length > 64) {
    return undefined;
  }
  const bare = bareName(name);
  const same = known.find((candidate) => bareName(candidate) === bare);
  if (same !== undefined) {
    return same;
  }
  let best: string | undefined;
  let bestDistance = Number.POSITIVE_INFINITY;
  for (const candidate of known) {
    const distance = editDistance(name.toLowerCase(), candidate.toLowerCase());
    if (distance < bestDistance && distance <= Math.max(1, Math.floor(Math.max(candidate.length, name.length) / 3))) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best ?? alikeAtStart(name.toLowerCase(), known);
}

/** Three letters at least, and all but one of what was written. */
function alikeAtStart(name: string, known: readonly string[]): string | undefined {
  const start = name.slice(0, Math.max(3, name.length - 1));
  const alike = name.length < 3 ? [] : known.filter((candidate) => candidate.toLowerCase().startsWith(start));
  return alike.toSorted((one, other) => one.length - other.length)[0];
}

/** A hint with the name that was probably meant, or nothing. */
export function didYouMean(name: string, known: readonly string[]): string | undefined {
  const nearest = nearestName(name, known);
  return nearest === undefined ? undefined : `Did you mean "${nearest}"?`;
}

function bareName(name: string): string {
  return name.replaceAll(/[_-]/g, "").toLowerCase();
}

/** Insertions, deletions, replacements and swaps of neighbours. */
function editDistance(left: string, right: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: right.length + 1 }, (_, index) => index);
  for (let row = 1; row <= left.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= right.length; column += 1) {
      const cost = left[row - 1] === right[column - 1] ? 0 : 1;
      let distance = Math.min((last[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1, (last[column - 1] ?? 0) + cost);
      const isSwap = left[row - 1] === right[column - 2] && left[row - 2] === right[column - 1];
      if (row > 1 && column > 1 && isSwap) {
        distance = Math.min(distance, (beforeLast[column - 2] ?? 0) + 1);
      }
      current.push(distance);
    }
    beforeLast = last;
    last = current;
  }
  return last[right.length] ?? 0;
}

/** `a, b and 3 more`, for messages that list what is known. */
export function listNames(names: readonly string[], limit = 12): string {
  if (names.length === 0) {
    return "none";
  }
  const shown = names.slice(0, limit).join(", ");
  return names.length > limit ? `${shown} and ${names.length - limit} more` : shown;
}
