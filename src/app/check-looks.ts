import { type CountersByDestination, nothingCounted } from "../core/release/plan/count-versions.ts";
import type { VersionCounts } from "../core/release/check/judge-version.ts";
import type { DestinationId, RouteTable } from "../core/routes/route-table.ts";

type Figures = CountersByDestination | undefined;

export interface CheckLookParts {
  /** Of those that were ever used. Undefined while a proxy cannot be asked. */
  read(destinations: ReadonlySet<DestinationId>): Promise<Figures>;
  /** What the proxies have now. */
  table(): Pick<RouteTable, "destinations">;
}

interface Round {
  readonly destinations: Set<DestinationId>;
  readonly figures: Promise<Figures>;
}

/**
 * Looks at the figures that checks judge. A proxy goes through all of its statistics for each question, so checks that
 * ask while one is under way share the next, which begins when that has ended.
 */
export class CheckLooks {
  readonly #parts: CheckLookParts;
  #underWay: Promise<unknown> = Promise.resolve();
  #next: Round | undefined;

  constructor(parts: CheckLookParts) {
    this.#parts = parts;
  }

  /** Undefined while a proxy cannot be asked. May hold destinations that others asked for. */
  look(destinations: ReadonlySet<DestinationId>): Promise<Figures> {
    this.#next ??= this.#begin();
    for (const destination of destinations) this.#next.destinations.add(destination);
    return this.#next.figures;
  }

  #begin(): Round {
    const destinations = new Set<DestinationId>();
    const read = async (): Promise<Figures> => {
      this.#next = undefined;
      const figures = await this.#parts.read(destinations);
      return figures === undefined ? undefined : this.#complete(figures, destinations);
    };
    const figures = this.#underWay.then(read, read);
    this.#underWay = figures.catch(() => undefined);
    return { destinations, figures };
  }

  /**
   * Statistics that were never used are not asked for, because going through all of them keeps the proxy of a large mesh
   * busy for half a second. So it is the table that tells whether no ejection is none, or that nothing ever ejects.
   */
  #complete(figures: CountersByDestination, asked: ReadonlySet<DestinationId>): CountersByDestination {
    const { destinations } = this.#parts.table();
    const complete = new Map<DestinationId, VersionCounts>(figures);
    for (const id of asked) {
      if (destinations.get(id)?.policy.outlierDetection === undefined) continue;
      complete.set(id, { ejections: 0, ...(figures.get(id) ?? nothingCounted) });
    }
    return complete;
  }
}
