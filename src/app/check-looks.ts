import type { CountersByDestination } from "../core/release/count-versions.ts";
import type { DestinationId } from "../core/routes/route-table.ts";

type ReadFigures = (destinations: ReadonlySet<DestinationId>) => Promise<CountersByDestination | undefined>;

interface Round {
  readonly destinations: Set<DestinationId>;
  readonly figures: Promise<CountersByDestination | undefined>;
}

/**
 * Looks at the figures that checks judge. A proxy goes through all of its statistics for each question, so checks that
 * ask while one is under way share the next, which begins when that has ended.
 */
export class CheckLooks {
  readonly #read: ReadFigures;
  #underWay: Promise<unknown> = Promise.resolve();
  #next: Round | undefined;

  constructor(read: ReadFigures) {
    this.#read = read;
  }

  /** Undefined while a proxy cannot be asked. May hold destinations that others asked for. */
  look(destinations: ReadonlySet<DestinationId>): Promise<CountersByDestination | undefined> {
    this.#next ??= this.#begin();
    for (const destination of destinations) this.#next.destinations.add(destination);
    return this.#next.figures;
  }

  #begin(): Round {
    const destinations = new Set<DestinationId>();
    const read = (): ReturnType<ReadFigures> => {
      this.#next = undefined;
      return this.#read(destinations);
    };
    const figures = this.#underWay.then(read, read);
    this.#underWay = figures.catch(() => undefined);
    return { destinations, figures };
  }
}
