import type { TrafficSample } from "../api/types.ts";
import type { ServiceDescription } from "../core/release/move/describe-service.ts";
import type { DestinationId } from "../core/routes/route-table.ts";

/** Requests and errors of one destination since its proxy started. */
interface DestinationCounters {
  readonly requests: number;
  readonly errors: number;
}

export type CountersByDestination = ReadonlyMap<DestinationId, DestinationCounters>;

/** One look at the counters. */
export interface TrafficReading {
  readonly atMs: number;
  readonly counters: CountersByDestination;
}

/** The services that can send to one of these destinations. */
export type FindServices = (destinations: Iterable<DestinationId>) => readonly ServiceDescription[];

const keptSamples = 600;
/** What a busy mesh of thousands of services may take of the memory. */
const keptEntries = 100_000;
/** Two looks that are closer than this say nothing of a second: the counters of Envoy's workers come in lumps. */
const leastIntervalMs = 500;

/**
 * Turns counters that only grow into rates, and keeps the last ten minutes for a page that opens late. A sample names
 * the services that had a request since the one before; the others had none.
 */
export class TrafficHistory {
  readonly #samples: TrafficSample[] = [];
  #entries = 0;
  #previous: TrafficReading | undefined;

  /**
   * Adds one reading. Undefined for the first, which has nothing to be compared with, and for one that follows so
   * closely that it would show a gap or a peak that traffic did not have; the next one covers its time too.
   */
  add(reading: TrafficReading, findServices: FindServices): TrafficSample | undefined {
    const previous = this.#previous;
    const elapsedMs = previous === undefined ? 0 : reading.atMs - previous.atMs;
    // A clock that was set back begins anew.
    if (elapsedMs > 0 && elapsedMs < leastIntervalMs) return undefined;
    this.#previous = reading;
    if (previous === undefined || elapsedMs <= 0) return undefined;
    const rates = ratesBetween(previous, reading);
    const sample = { atMs: reading.atMs, services: findServices(rates.keys()).map((each) => sumRates(each, rates)) };
    this.#keep(sample);
    return sample;
  }

  get samples(): readonly TrafficSample[] {
    return this.#samples;
  }

  #keep(sample: TrafficSample): void {
    this.#samples.push(sample);
    this.#entries += sample.services.length;
    while (this.#samples.length > keptSamples || (this.#entries > keptEntries && this.#samples.length > 1)) {
      this.#entries -= this.#samples.shift()?.services.length ?? 0;
    }
  }
}

interface Rates {
  readonly requestsPerSecond: number;
  readonly errorsPerSecond: number;
}

/** Only destinations that something happened to. */
function ratesBetween(previous: TrafficReading, reading: TrafficReading): ReadonlyMap<DestinationId, Rates> {
  const seconds = (reading.atMs - previous.atMs) / 1_000;
  const rates = new Map<DestinationId, Rates>();
  for (const [destination, now] of reading.counters) {
    const before = previous.counters.get(destination) ?? { requests: 0, errors: 0 };
    const requests = growth(before.requests, now.requests);
    const errors = growth(before.errors, now.errors);
    if (requests === 0 && errors === 0) continue;
    rates.set(destination, { requestsPerSecond: requests / seconds, errorsPerSecond: errors / seconds });
  }
  return rates;
}

/** A proxy that was restarted counts from 0 again. */
function growth(before: number, now: number): number {
  return now >= before ? now - before : now;
}

function sumRates(
  { virtualService, versions }: ServiceDescription,
  rates: ReadonlyMap<DestinationId, Rates>,
): TrafficSample["services"][number] {
  return {
    virtualService,
    versions: versions.map(({ name, destinations }) => ({
      name,
      requestsPerSecond: sum(destinations.map((each) => rates.get(each)?.requestsPerSecond ?? 0)),
      errorsPerSecond: sum(destinations.map((each) => rates.get(each)?.errorsPerSecond ?? 0)),
    })),
  };
}

function sum(values: readonly number[]): number {
  return Math.round(values.reduce((total, value) => total + value, 0) * 10) / 10;
}
