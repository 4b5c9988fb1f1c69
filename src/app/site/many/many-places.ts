import type { CountersByDestination } from "../../../core/release/plan/count-versions.ts";
import type { OwnedAddition, RouteAddition } from "../../../core/routes/route-addition.ts";
import type { DestinationId } from "../../../core/routes/route-table.ts";
import { localName, qualifyName, siteOf } from "../../../core/routes/site-names.ts";
import type { ProxyStatus, Target } from "../../../engine/ports.ts";
import type { MovedPlace } from "../mesh/moved-site.ts";

interface PlacesOptions {
  readonly target: Pick<Target, "observe">;
  /** What releases want to be laid, by their states; used until `lay` has said it. */
  readonly additions: () => readonly OwnedAddition[];
}

/** What is done in several clusters beside moving weights: each does its part, under the names that it has there. */
export class ManyPlaces implements MovedPlace {
  readonly #sites: ReadonlyMap<string, MovedPlace>;
  readonly #target: Pick<Target, "observe">;
  readonly #additions: () => readonly OwnedAddition[];
  #laid: readonly OwnedAddition[] | undefined;

  constructor(sites: ReadonlyMap<string, MovedPlace>, { target, additions }: PlacesOptions) {
    this.#sites = sites;
    this.#target = target;
    this.#additions = additions;
  }

  get laid(): MovedPlace["laid"] {
    return this.#laid ?? this.#additions();
  }

  observe(...args: Parameters<MovedPlace["observe"]>): ReturnType<MovedPlace["observe"]> {
    return this.#target.observe(...args);
  }

  async stats(): Promise<CountersByDestination | undefined> {
    return await this.#gather((site) => site.stats());
  }

  async figures(destinations: ReadonlySet<DestinationId>): Promise<CountersByDestination | undefined> {
    return await this.#gather((site, context) => {
      const own = [...destinations].filter((id) => siteOf(id) === context).map(localName);
      return own.length === 0 ? Promise.resolve(new Map()) : site.figures(new Set(own));
    });
  }

  async latencies(): ReturnType<MovedPlace["latencies"]> {
    const all = await Promise.all(
      [...this.#sites].map(async ([context, site]) =>
        [...(await site.latencies())].map(([id, latency]) => [qualifyName(context, id), latency] as const),
      ),
    );
    return new Map(all.flat());
  }

  processes(): string | undefined {
    const all = [...this.#sites.values()].map((site) => site.processes());
    return all.every((each) => each !== undefined) ? all.join("; ") : undefined;
  }

  async lay(...[additions, asks, options]: Parameters<MovedPlace["lay"]>): Promise<void> {
    for (const [context, site] of this.#sites) {
      await site.lay(localAdditions(additions, context), asks, options);
    }
    this.#laid = additions;
  }

  findStripped(additions: readonly OwnedAddition[]): string | undefined {
    const all = [...this.#sites].flatMap(([context, site]) => {
      const stripped = site.findStripped(localAdditions(additions, context));
      return stripped === undefined ? [] : [`${context}: ${stripped}`];
    });
    return all.length === 0 ? undefined : all.join("; ");
  }

  async editSubsets(...[edit, options]: Parameters<MovedPlace["editSubsets"]>): ReturnType<MovedPlace["editSubsets"]> {
    const site = this.#sites.get(siteOf(edit.destinationRule) ?? "");
    if (site === undefined) throw new Error(`No cluster has ${edit.destinationRule}.`);
    return await site.editSubsets({ ...edit, destinationRule: localName(edit.destinationRule) }, options);
  }

  async status(): Promise<readonly ProxyStatus[]> {
    const all = await Promise.all(
      [...this.#sites].map(async ([context, site]) =>
        (await site.status()).map((proxy) => ({ ...proxy, node: qualifyName(context, proxy.node) })),
      ),
    );
    return all.flat();
  }

  /** Undefined while one of them cannot be counted. */
  async #gather(
    read: (site: MovedPlace, context: string) => Promise<CountersByDestination | undefined>,
  ): Promise<CountersByDestination | undefined> {
    const all = await Promise.all(
      [...this.#sites].map(async ([context, site]) => ({ context, counters: await read(site, context) })),
    );
    if (all.some(({ counters }) => counters === undefined)) return undefined;
    return new Map(
      all.flatMap(({ context, counters }) =>
        [...(counters ?? [])].map(([id, counts]) => [qualifyName(context, id), counts] as const),
      ),
    );
  }
}

/** What of them is of one cluster, under the names that it has there. */
export function localAdditions(additions: readonly OwnedAddition[], context: string): readonly OwnedAddition[] {
  return additions.flatMap(({ release, addition }) =>
    partOf(addition, context).map((part) => ({ release, addition: part })),
  );
}

/** Nothing where none of its rules is one of this cluster. */
function partOf(addition: RouteAddition, context: string): readonly RouteAddition[] {
  if (addition.kind === "affinity") {
    const splits = addition.splits.filter((split) => siteOf(split) === context).map(localName);
    return splits.length === 0 ? [] : [{ ...addition, splits }];
  }
  const own = Object.entries(addition.to).filter(([split]) => siteOf(split) === context);
  const to = Object.fromEntries(own.map(([split, destination]) => [localName(split), localName(destination)]));
  return own.length === 0 ? [] : [{ ...addition, to }];
}
