import type { DestinationId, SplitWeights } from "../../routes/route-table.ts";
import type { MovePlan, SplitChange, VersionName } from "./move.ts";
import { gainingDestinations, isSameShare, MAX_TOTAL_WEIGHT, totalWeight } from "./split-weights.ts";

/** How many endpoints are ready. A destination that is missing is one whose endpoints nobody can count. */
export type EndpointCounts = Readonly<Record<DestinationId, number>>;

export interface Capacity {
  /** When the release began; undefined where its journal does not say it. */
  readonly atStart: EndpointCounts | undefined;
  readonly now: EndpointCounts;
}

/** Why not everything of a version is back. */
export interface Shortage {
  readonly version: VersionName;
  readonly ready: number;
  /** How many were ready when the release began; null where that is not known. */
  readonly wanted: number | null;
  /** How much of what it had is back, in whole percent. */
  readonly backPercent: number;
}

export interface LimitedReturn {
  /** Undefined where nothing more can go back now. */
  readonly plan: MovePlan | undefined;
  /** Empty where everything goes back. */
  readonly waits: readonly Shortage[];
}

/**
 * The part of a way back that the versions which it leads to can take: of the share that each is to have, as much as
 * the part of its endpoints that is ready, and nothing where none is. Where the versions that would keep the rest have
 * no endpoint at all, nobody is better off there, and one that has any takes everything.
 */
export function limitReturn(plan: MovePlan, capacity: Capacity): LimitedReturn {
  const limits = plan.changes.map((change) => ({ change, limited: limitChange(change, capacity) }));
  if (limits.every(({ limited }) => limited === undefined)) return { plan, waits: [] };
  const changes = limits.flatMap(({ change, limited }) => {
    const { before } = change;
    if (limited === undefined) return isSameShare(before, change.after) ? [] : [change];
    return isRounding(before, limited.after) ? [] : [{ ...change, after: limited.after }];
  });
  const waits = new Map<VersionName, Shortage>();
  for (const { change, limited } of limits) {
    for (const destination of limited?.short ?? []) {
      const shortage = describeShortage(destination, {
        plan,
        capacity,
        change,
        after: limited?.after ?? change.before,
      });
      const known = waits.get(shortage.version);
      if (known === undefined || shortage.backPercent < known.backPercent) waits.set(shortage.version, shortage);
    }
  }
  return { plan: changes.length === 0 ? undefined : { ...plan, changes }, waits: [...waits.values()] };
}

export function isSameShortage(left: readonly Shortage[], right: readonly Shortage[]): boolean {
  return JSON.stringify(left) === JSON.stringify(right);
}

/** `2 of 4 endpoints of blue are ready, so 50 % is back`. */
export function renderShortage({ version, ready, wanted, backPercent }: Shortage): string {
  const of = wanted === null ? "" : ` of ${wanted}`;
  return `${ready}${of} endpoints of ${version} are ready, so ${renderBack(backPercent)}`;
}

function renderBack(percent: number): string {
  return percent === 0 ? "nothing is back" : `${percent} % is back`;
}

interface LimitedChange {
  readonly after: SplitWeights;
  /** The destinations that do not get all that they are to have. */
  readonly short: readonly DestinationId[];
}

/** Undefined where the whole of a change can be made. */
function limitChange({ before, after }: SplitChange, capacity: Capacity): LimitedChange | undefined {
  const gaining = gainingDestinations(before, after);
  const losing = gainingDestinations(after, before);
  const isDeserted = losing.length > 0 && losing.every((destination) => capacity.now[destination] === 0);
  const parts = new Map(gaining.map((destination) => [destination, partOf(destination, capacity, isDeserted)]));
  const short = gaining.filter((destination) => !isWhole(parts.get(destination)));
  if (short.length === 0) return undefined;
  return { after: dividePart({ before, after, parts }) ?? before, short };
}

/** What a destination can take of its share, as a fraction of whole numbers. */
interface Part {
  readonly ready: number;
  readonly wanted: number;
}

const whole: Part = { ready: 1, wanted: 1 };

function partOf(destination: DestinationId, { now, atStart }: Capacity, isDeserted: boolean): Part {
  const ready = now[destination];
  if (ready === undefined) return whole;
  if (ready === 0) return { ready: 0, wanted: 1 };
  const wanted = atStart?.[destination] ?? 0;
  return isDeserted || ready >= wanted ? whole : { ready, wanted };
}

function isWhole(part: Part | undefined): boolean {
  return part === undefined || part.ready >= part.wanted;
}

/** The finest of these scales is used whose weights people can still read. */
const scales = [1_000_000n, 100_000n, 10_000n, 1_000n, 100n, 10n, 1n];
const readableTotal = 1_000_000n;
/** A part of that many is no part: what was rounded down is counted anew from the weights that it left, again and again. */
const smallestPart = 10_000n;

function isRounding(before: SplitWeights, after: SplitWeights): boolean {
  const [totalBefore, totalAfter] = [BigInt(totalWeight(before)), BigInt(totalWeight(after))];
  return [...new Set([...Object.keys(before), ...Object.keys(after)])].every((arm) => {
    const gained = BigInt(after[arm] ?? 0) * totalBefore - BigInt(before[arm] ?? 0) * totalAfter;
    return (gained < 0n ? -gained : gained) * smallestPart < totalBefore * totalAfter;
  });
}

/**
 * Weights on the way from `before` to `after`: no destination gets less than it has of what it is to gain, none more
 * than its part, and one whose share stays the same keeps it exactly. Undefined where no proxy could hold such weights.
 */
function dividePart({
  before,
  after,
  parts,
}: Pick<SplitChange, "before" | "after"> & { readonly parts: ReadonlyMap<DestinationId, Part> }):
  | SplitWeights
  | undefined {
  const [totalBefore, totalAfter] = [BigInt(totalWeight(before)), BigInt(totalWeight(after))];
  if (totalBefore === 0n || totalAfter === 0n) return undefined;
  const common = (totalBefore / greatestCommonDivisor(totalBefore, totalAfter)) * totalAfter;
  if (common > BigInt(MAX_TOTAL_WEIGHT)) return undefined;
  const scale = scales.find((each) => common * each <= readableTotal) ?? 1n;
  const total = common * scale;
  const arms = [...new Set([...Object.keys(before), ...Object.keys(after)])].map((destination) => ({
    destination,
    had: (BigInt(before[destination] ?? 0) * total) / totalBefore,
    gets: (BigInt(after[destination] ?? 0) * total) / totalAfter,
  }));
  const gains = new Map<DestinationId, bigint>();
  for (const { destination, had, gets } of arms) {
    if (gets <= had) continue;
    const { ready, wanted } = parts.get(destination) ?? whole;
    const allowed = ready >= wanted ? gets : (gets * BigInt(ready)) / BigInt(wanted);
    gains.set(destination, allowed > had ? allowed - had : 0n);
  }
  let left = [...gains.values()].reduce((sum, gain) => sum + gain, 0n);
  const allGained = arms.reduce((sum, { had, gets }) => (gets > had ? sum + gets - had : sum), 0n);
  const gained = left;
  const weights = new Map(arms.map(({ destination, had }) => [destination, had + (gains.get(destination) ?? 0n)]));
  const losers = arms.filter(({ had, gets }) => had > gets);
  for (const { destination, had, gets } of losers) {
    const loss = ((had - gets) * gained) / allGained;
    weights.set(destination, had - loss);
    left -= loss;
  }
  // What rounding has left over is taken from those that lose, who all have more of it than that.
  for (const { destination, gets } of losers) {
    const room = (weights.get(destination) ?? 0n) - gets;
    const loss = room < left ? room : left;
    weights.set(destination, (weights.get(destination) ?? 0n) - loss);
    left -= loss;
  }
  const divisor = [...weights.values()].reduce((each, weight) => greatestCommonDivisor(each, weight), 0n);
  return Object.fromEntries([...weights].map(([destination, weight]) => [destination, Number(weight / divisor)]));
}

function greatestCommonDivisor(left: bigint, right: bigint): bigint {
  return right === 0n ? left : greatestCommonDivisor(right, left % right);
}

interface ShortagePlace {
  readonly plan: MovePlan;
  readonly capacity: Capacity;
  readonly change: SplitChange;
  readonly after: SplitWeights;
}

function describeShortage(destination: DestinationId, { plan, capacity, change, after }: ShortagePlace): Shortage {
  const version = plan.versions.find(({ destinations }) => destinations.includes(destination))?.name ?? destination;
  const has = BigInt(after[destination] ?? 0) * BigInt(totalWeight(change.after));
  const isToHave = BigInt(change.after[destination] ?? 0) * BigInt(totalWeight(after));
  const backPercent = isToHave === 0n ? 100 : Number((100n * has) / isToHave);
  return {
    version,
    ready: capacity.now[destination] ?? 0,
    wanted: capacity.atStart?.[destination] ?? null,
    backPercent: Math.min(100, backPercent),
  };
}
