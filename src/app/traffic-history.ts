import type { TrafficSample } from "../api/types.ts";
import type { ServiceView } from "./service-view.ts";

/** Requests and errors of one destination since its proxy started. */
export interface DestinationCounters {
  readonly requests: number;
  readonly errors: number;
}

export type CountersByDestination = ReadonlyMap<string, DestinationCounters>;

const keptSamples = 600;

/** Turns counters that only grow into rates, and keeps the last ten minutes for a page that opens late. */
export class TrafficHistory {
  readonly #samples: TrafficSample[] = [];
  #previous: { readonly atMs: number; readonly counters: CountersByDestination } | undefined;

  /** Adds one reading; undefined for the first, which has nothing to be compared with. */
  add(atMs: number, counters: CountersByDestination, services: readonly ServiceView[]): TrafficSample | undefined {
    const previous = this.#previous;
    this.#previous = { atMs, counters };
    if (previous === undefined || atMs <= previous.atMs) return undefined;
    const seconds = (atMs - previous.atMs) / 1_000;
    const rate = (destination: string, kind: keyof DestinationCounters): number => {
      const now = counters.get(destination)?.[kind] ?? 0;
      const before = previous.counters.get(destination)?.[kind] ?? 0;
      // A proxy that was restarted counts from 0 again.
      return (now >= before ? now - before : now) / seconds;
    };
    const sample: TrafficSample = {
      atMs,
      services: services.map((service) => ({
        virtualService: service.virtualService,
        versions: service.versions.map((version) => ({
          name: version.name,
          requestsPerSecond: sum(version.destinations.map((each) => rate(each, "requests"))),
          errorsPerSecond: sum(version.destinations.map((each) => rate(each, "errors"))),
        })),
      })),
    };
    this.#samples.push(sample);
    if (this.#samples.length > keptSamples) this.#samples.shift();
    return sample;
  }

  get samples(): readonly TrafficSample[] {
    return this.#samples;
  }
}

function sum(values: readonly number[]): number {
  return Math.round(values.reduce((total, value) => total + value, 0) * 10) / 10;
}
