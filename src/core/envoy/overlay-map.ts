/** Entries that may lie over others before they are put together: a look-up asks two maps, a change copies one. */
const maxOverlaid = 128;

interface Gone {
  readonly isGone: true;
}

const gone: Gone = { isGone: true };

/**
 * A map that is another map with some other entries, without a copy of that map: of ten thousand entries with one that
 * changed, only the one costs anything. Immutable, as the map under it has to be.
 */
export class OverlayMap<Value> implements ReadonlyMap<string, Value> {
  readonly #root: ReadonlyMap<string, Value>;
  readonly #over: ReadonlyMap<string, Value | Gone>;
  readonly size: number;

  private constructor(root: ReadonlyMap<string, Value>, over: ReadonlyMap<string, Value | Gone>) {
    this.#root = root;
    this.#over = over;
    let { size } = root;
    for (const [name, value] of over) size += Number(value !== gone) - Number(root.has(name));
    this.size = size;
  }

  /** Undefined removes an entry. A plain map where so much has changed that a copy is no worse. */
  static of<Value>(
    base: ReadonlyMap<string, Value>,
    changes: ReadonlyMap<string, Value | undefined>,
  ): ReadonlyMap<string, Value> {
    const known: OverlayMap<Value> | undefined = base instanceof OverlayMap ? base : undefined;
    const over = new Map<string, Value | Gone>(known === undefined ? [] : known.#over);
    for (const [name, value] of changes) over.set(name, value ?? gone);
    if (over.size > maxOverlaid || base.size < maxOverlaid) return copy(base, changes);
    return new OverlayMap(known === undefined ? base : known.#root, over);
  }

  get(name: string): Value | undefined {
    const value = this.#over.get(name);
    if (value === undefined) return this.#root.get(name);
    return isGone(value) ? undefined : value;
  }

  has(name: string): boolean {
    return this.get(name) !== undefined;
  }

  *entries(): MapIterator<[string, Value]> {
    for (const [name, below] of this.#root) {
      const value = this.#over.get(name);
      if (value === undefined) yield [name, below];
      else if (!isGone(value)) yield [name, value];
    }
    for (const [name, value] of this.#over) if (!isGone(value) && !this.#root.has(name)) yield [name, value];
  }

  *keys(): MapIterator<string> {
    for (const [name] of this.entries()) yield name;
  }

  *values(): MapIterator<Value> {
    for (const [, value] of this.entries()) yield value;
  }

  forEach(call: (value: Value, name: string, map: ReadonlyMap<string, Value>) => void): void {
    for (const [name, value] of this.entries()) call(value, name, this);
  }

  [Symbol.iterator](): MapIterator<[string, Value]> {
    return this.entries();
  }
}

function isGone(value: unknown): value is Gone {
  return value === gone;
}

function copy<Value>(
  base: ReadonlyMap<string, Value>,
  changes: ReadonlyMap<string, Value | undefined>,
): ReadonlyMap<string, Value> {
  const next = new Map(base);
  for (const [name, value] of changes) {
    if (value === undefined) next.delete(name);
    else next.set(name, value);
  }
  return next;
}
