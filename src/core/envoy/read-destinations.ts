import type { Destination, DestinationId } from "../routes/route-table.ts";

type Destinations = ReadonlyMap<DestinationId, Destination>;

/**
 * The destinations of a table, which remembers which of them were asked for: what was made with it holds for every
 * other table that gives the same answers. Looking at all of them binds it to the very map.
 */
export class ReadDestinations implements ReadonlyMap<DestinationId, Destination> {
  /** Let go once another map was found to give the same answers, so that old tables are not kept alive. */
  #source: Destinations;
  #isBound = false;
  readonly #answers = new Map<DestinationId, Destination | undefined>();

  constructor(source: Destinations) {
    this.#source = source;
  }

  holdsFor(destinations: Destinations): boolean {
    if (destinations === this.#source) return true;
    if (this.#isBound) return false;
    for (const [id, answer] of this.#answers) if (destinations.get(id) !== answer) return false;
    this.#source = destinations;
    return true;
  }

  get(id: DestinationId): Destination | undefined {
    const answer = this.#source.get(id);
    this.#answers.set(id, answer);
    return answer;
  }

  has(id: DestinationId): boolean {
    return this.get(id) !== undefined;
  }

  get size(): number {
    return this.#whole().size;
  }

  forEach(visit: (value: Destination, key: DestinationId, map: Destinations) => void): void {
    for (const [id, destination] of this.#whole()) visit(destination, id, this);
  }

  entries(): MapIterator<[DestinationId, Destination]> {
    return this.#whole().entries();
  }

  keys(): MapIterator<DestinationId> {
    return this.#whole().keys();
  }

  values(): MapIterator<Destination> {
    return this.#whole().values();
  }

  [Symbol.iterator](): MapIterator<[DestinationId, Destination]> {
    return this.entries();
  }

  #whole(): Destinations {
    this.#isBound = true;
    return this.#source;
  }
}
