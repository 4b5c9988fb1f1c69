import { coversHost, isWildcard, wildcardsAbove } from "../manifest/host-pattern.ts";

/** Finds hosts that share a name with a given one, without comparing every pair of them. */
export class HostIndex<T> {
  readonly #byHost = new Map<string, T[]>();
  /** Hosts from their last letter to their first, in order, so that those below a suffix stand together. */
  readonly #reversed: readonly (readonly [reversed: string, host: string])[];

  constructor(objects: Iterable<T>, hostOf: (object: T) => string) {
    for (const object of objects) {
      const host = hostOf(object);
      const list = this.#byHost.get(host);
      if (list === undefined) {
        this.#byHost.set(host, [object]);
      } else {
        list.push(object);
      }
    }
    this.#reversed = [...this.#byHost.keys()]
      .map((host) => [reverse(host), host] as const)
      .toSorted(([left], [right]) => (left < right ? -1 : 1));
  }

  /** Objects whose host overlaps with the given one, or with its wildcard; of those below a wildcard some only. */
  findOverlapping(host: string, atMostBelow: number): readonly T[] {
    const names = [host, ...wildcardsAbove(host)];
    const found = names.flatMap((name) => this.#byHost.get(name) ?? []);
    return isWildcard(host) ? [...found, ...this.#findBelow(host, atMostBelow)] : found;
  }

  #findBelow(wildcard: string, atMost: number): readonly T[] {
    const suffix = reverse(wildcard.slice(1));
    const found: T[] = [];
    for (let index = this.#firstFrom(suffix); index < this.#reversed.length && found.length < atMost; index += 1) {
      const [reversed, host] = this.#reversed[index] ?? ["", ""];
      if (!reversed.startsWith(suffix)) {
        break;
      }
      if (host !== wildcard && coversHost(wildcard, host)) {
        found.push(...(this.#byHost.get(host) ?? []));
      }
    }
    return found;
  }

  #firstFrom(suffix: string): number {
    let low = 0;
    let high = this.#reversed.length;
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      if ((this.#reversed[middle]?.[0] ?? "") < suffix) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low;
  }
}

function reverse(host: string): string {
  return Array.from(host).toReversed().join("");
}
