type Tree = unknown;

/**
 * The smallest documents of which a claim still holds, found by leaving out one part after another: a document, a field,
 * an item. It is tried again until nothing more can go, or until the trials are used up.
 */
export async function reduceDocuments(
  documents: readonly Tree[],
  holds: (documents: readonly Tree[]) => Promise<boolean>,
  trials = 600,
): Promise<readonly Tree[]> {
  let kept: Tree = documents;
  let left = trials;
  for (let hasShrunk = true; hasShrunk;) {
    hasShrunk = false;
    // From the end, so that the places of what is still to be tried stay what they are.
    for (const path of pathsOf(kept).toReversed()) {
      if (left === 0) return asList(kept);
      if (!exists(kept, path)) continue;
      left -= 1;
      const smaller = without(kept, path);
      if (await holds(asList(smaller))) {
        kept = smaller;
        hasShrunk = true;
      }
    }
  }
  return asList(kept);
}

type Path = readonly string[];

/** Outer parts come after inner ones when read backwards, so that whole documents are tried first of all in `pathsOf`. */
function pathsOf(tree: Tree): readonly Path[] {
  const inner: Path[] = [];
  const outer: Path[] = [];
  for (const [key, value] of entriesOf(tree)) {
    outer.push([key]);
    for (const path of pathsOf(value)) inner.push([key, ...path]);
  }
  return [...inner, ...outer];
}

function entriesOf(tree: Tree): readonly (readonly [string, Tree])[] {
  return typeof tree === "object" && tree !== null ? Object.entries(tree) : [];
}

function exists(tree: Tree, [key, ...rest]: Path): boolean {
  if (key === undefined) return true;
  const found = entriesOf(tree).find(([name]) => name === key);
  return found !== undefined && exists(found[1], rest);
}

function without(tree: Tree, [key, ...rest]: Path): Tree {
  const kept = entriesOf(tree).flatMap(([name, value]): (readonly [string, Tree])[] => {
    if (name !== key) return [[name, value]];
    return rest.length === 0 ? [] : [[name, without(value, rest)]];
  });
  return Array.isArray(tree) ? kept.map(([, value]) => value) : Object.fromEntries(kept);
}

function asList(tree: Tree): readonly Tree[] {
  if (!Array.isArray(tree)) throw new Error("documents are a list");
  return tree;
}
