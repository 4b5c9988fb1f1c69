import { OverlayMap } from "./overlay-map.ts";

/** How a map differs from the one that it was made of. */
export interface Derivation {
  /** To be compared with, and no more. */
  readonly base: object;
  /** Entries that were added, changed or removed. */
  readonly touched: readonly string[];
}

const derivations = new WeakMap<object, Derivation>();

/**
 * A map with some other entries, which remembers how it was made, so that whoever has dealt with the old one looks at
 * the difference alone. The same map where nothing changes. Undefined removes an entry.
 */
export function deriveMap<Value>(
  base: ReadonlyMap<string, Value>,
  changes: ReadonlyMap<string, Value | undefined>,
): ReadonlyMap<string, Value> {
  const touched = [...changes].filter(([name, value]) => base.get(name) !== value).map(([name]) => name);
  if (touched.length === 0) return base;
  const next = OverlayMap.of(base, new Map(touched.map((name) => [name, changes.get(name)])));
  derivations.set(next, { base, touched });
  // Only one step is remembered: a longer chain would keep every map alive that there ever was.
  derivations.delete(base);
  return next;
}

/** How a map was made; undefined where that is not known, or too long ago. */
export function derivationOf(map: object): Derivation | undefined {
  return derivations.get(map);
}

/** As `deriveMap`, from all that the new map holds; the map of before where they are equal. */
export function reconcileMap<Value>(
  before: ReadonlyMap<string, Value> | undefined,
  after: ReadonlyMap<string, Value>,
  isSame: (one: Value, other: Value) => boolean = Object.is,
): ReadonlyMap<string, Value> {
  if (before === undefined || before === after) return after;
  const changes = new Map<string, Value | undefined>();
  for (const [name, value] of after) {
    const known = before.get(name);
    if (known === undefined || !isSame(known, value)) changes.set(name, value);
  }
  if (before.size + changes.size > after.size) {
    for (const name of before.keys()) if (!after.has(name)) changes.set(name, undefined);
  }
  return deriveMap(before, changes);
}
