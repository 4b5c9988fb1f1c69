type Labels = Readonly<Record<string, string>>;

/** True when the labels carry everything that the selector asks for. */
export function selects(selector: Labels, labels: Labels): boolean {
  return Object.entries(selector).every(([name, value]) => Object.hasOwn(labels, name) && labels[name] === value);
}

/** Finds objects by selector without comparing each selector with each object. */
export class LabelIndex<T> {
  readonly #byLabel = new Map<string, T[]>();
  readonly #labelsOf: (object: T) => Labels;

  /** Labels are compared within one namespace only. */
  constructor(objects: readonly T[], read: { namespace: (object: T) => string; labels: (object: T) => Labels }) {
    this.#labelsOf = read.labels;
    for (const object of objects) {
      for (const label of Object.entries(read.labels(object))) {
        const key = indexKey(read.namespace(object), label);
        const list = this.#byLabel.get(key);
        if (list === undefined) {
          this.#byLabel.set(key, [object]);
        } else {
          list.push(object);
        }
      }
    }
  }

  /** Objects of the namespace that the selector selects, in their given order; an empty selector selects none. */
  find(namespace: string, selector: Labels): readonly T[] {
    let shortest: readonly T[] | undefined;
    for (const label of Object.entries(selector)) {
      const list = this.#byLabel.get(indexKey(namespace, label)) ?? [];
      if (shortest === undefined || list.length < shortest.length) {
        shortest = list;
      }
    }
    return (shortest ?? []).filter((object) => selects(selector, this.#labelsOf(object)));
  }

  /** True when some object of the namespace carries no label beyond the given ones, and at least one of them. */
  hasWithin(namespace: string, labels: Labels): boolean {
    return Object.entries(labels).some((label) =>
      (this.#byLabel.get(indexKey(namespace, label)) ?? []).some((object) => selects(this.#labelsOf(object), labels)),
    );
  }
}

function indexKey(namespace: string, [name, value]: readonly [string, string]): string {
  return JSON.stringify([namespace, name, value]);
}
