import { type ComparedMirror, findComparisons } from "../../core/release/mirror/comparisons-in-place.ts";
import type { MirrorReport } from "../../core/release/mirror/mirror-report.ts";
import { addRoutes } from "../../core/routes/add-routes.ts";
import type { OwnedAddition } from "../../core/routes/route-addition.ts";
import type { Destination, DestinationId, RouteTable, SplitId } from "../../core/routes/route-table.ts";
import { splitsOf } from "../../core/routes/weights.ts";
import type { Engine } from "../../engine/engine.ts";
import { type ComparedRelease, type ComparerOptions, MirrorComparer } from "./mirror-comparer.ts";

export interface ComparedMirrorsOptions extends ComparerOptions {
  readonly engine: Pick<Engine, "releases" | "placements">;
}

/** Leads copies whose answers are to be compared to kirikae, and says what was found. */
export class ComparedMirrors implements AsyncDisposable {
  readonly #engine: ComparedMirrorsOptions["engine"];
  readonly #comparer: MirrorComparer;
  /** What is to be compared while a table is live. */
  readonly #comparedBy = new WeakMap<RouteTable, readonly ComparedRun[]>();
  /** Which start of each release is compared, by the release. */
  #runs: ReadonlyMap<string, string> = new Map();

  private constructor(engine: ComparedMirrorsOptions["engine"], comparer: MirrorComparer) {
    this.#engine = engine;
    this.#comparer = comparer;
  }

  static async start(options: ComparedMirrorsOptions): Promise<ComparedMirrors> {
    return new ComparedMirrors(options.engine, await MirrorComparer.start(options));
  }

  /** The table with additions laid over it; copies that are compared lead to kirikae first. */
  addRoutes(table: RouteTable, additions: readonly OwnedAddition[]): RouteTable {
    const mirrors = this.#find(additions);
    if (mirrors.length === 0) return addRoutes(table, additions);
    const compared = mirrors.map((mirror) => ({ ...this.#describe(table, mirror), addition: mirror.addition }));
    const laid = addRoutes(
      table,
      additions.map((each) => leadThrough(each, { compared, comparer: this.#comparer.destination })),
    );
    this.#comparedBy.set(laid, compared);
    return laid;
  }

  /** To be called when a table that `addRoutes` has made is live. */
  begin(laid: RouteTable): void {
    const compared = this.#comparedBy.get(laid) ?? [];
    const isNew = ({ release, run }: ComparedRun): boolean => (this.#runs.get(release) ?? run) !== run;
    // One that was aborted leaves its copies to the next of its name, which is to count from nothing.
    this.#comparer.compare(compared.filter((each) => !isNew(each)));
    for (const { release } of compared.filter(isNew)) this.#comparer.takeEnded(release);
    this.#comparer.compare(compared);
    this.#runs = new Map(compared.map(({ release, run }) => [release, run]));
  }

  /** Whether what these additions ask for is what is compared since `begin`: two may copy the same, and ask for other things. */
  isBegun(additions: readonly OwnedAddition[]): boolean {
    const asked = this.#find(additions);
    return asked.length === this.#runs.size && asked.every(({ release, run }) => this.#runs.get(release) === run);
  }

  report(release: string): MirrorReport | undefined {
    return this.#comparer.report(release);
  }

  takeEnded(release: string): MirrorReport | undefined {
    return this.#comparer.takeEnded(release);
  }

  differences(release: string): ReturnType<MirrorComparer["differences"]> {
    return this.#comparer.differences(release);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#comparer[Symbol.asyncDispose]();
  }

  #find(additions: readonly OwnedAddition[]): readonly ComparedMirror[] {
    return findComparisons(additions, this.#engine.releases());
  }

  /** The new version is compared with the one that has most of the rule's requests. */
  #describe(table: RouteTable, { release, run, addition: { to, percent }, compare }: ComparedMirror): ComparedRun {
    const placements = this.#engine.placements();
    const splits = splitsOf(table);
    const live: Record<SplitId, DestinationId> = {};
    for (const [split, fresh] of Object.entries(to)) {
      const arms = splits.get(split)?.arms ?? [];
      const weights = placements.get(split);
      const shares = arms
        .filter(({ destination }) => destination !== fresh)
        .map(({ destination, weight }) => ({ destination, weight: weights?.[destination] ?? weight }));
      const [most] = shares.toSorted((one, other) => other.weight - one.weight);
      if (most !== undefined) live[split] = most.destination;
    }
    return { release, run, compare, percent, to, live };
  }
}

type ComparedRun = ComparedRelease & Pick<ComparedMirror, "run">;

interface Lead {
  readonly compared: readonly (ComparedRelease & Pick<ComparedMirror, "addition">)[];
  readonly comparer: Destination;
}

function leadThrough(owned: OwnedAddition, { compared, comparer }: Lead): OwnedAddition {
  const { release, addition } = owned;
  const found = compared.find((each) => each.addition === addition);
  if (addition.kind !== "mirror" || found === undefined) return owned;
  return { release, addition: { ...addition, through: { comparer, live: found.live } } };
}
