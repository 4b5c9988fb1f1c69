import { KirikaeError } from "../../core/diagnostics/error.ts";
import { type CountersByDestination, sumCounts } from "../../core/release/plan/count-versions.ts";
import type { PodReach } from "../../kubernetes/pod-reach.ts";
import { type ListingParts, listGateways } from "./listed-strangers.ts";
import { createProxyAdmin, type ProxyAdmin } from "./proxy-admin.ts";
import { type LatencyByDestination, readLatencies, slowestOf } from "./proxy-latency.ts";

export interface GatewayReadingParts extends ListingParts {
  readonly reach: PodReach;
}

/**
 * Reads the counters of all gateways together. Those of sidecars are not read: a mesh has thousands, and what clients
 * outside of it get comes through the gateways.
 */
export class GatewayReadings {
  readonly #parts: GatewayReadingParts;
  #processes: string | undefined;

  constructor(parts: GatewayReadingParts) {
    this.#parts = parts;
  }

  /** Which pods were counted last, and how often their containers had begun anew. */
  get processes(): string | undefined {
    return this.#processes;
  }

  /** Undefined while a gateway does not answer or does not count: what is missing once would seem to grow when it is back. */
  async read(
    ask: (admin: ProxyAdmin) => Promise<CountersByDestination | undefined>,
  ): Promise<CountersByDestination | undefined> {
    const { reach } = this.#parts;
    try {
      const needed = await listGateways(this.#parts);
      this.#processes = needed
        .map(({ id, life }) => `${id} ${life}`)
        .toSorted()
        .join(",");
      if (needed.length === 0) return undefined;
      const all = await Promise.all(needed.map((proxy) => ask(createProxyAdmin(reach, proxy))));
      const counted = all.filter((each) => each !== undefined);
      return counted.length === all.length ? sumCounts(counted) : undefined;
    } catch (error) {
      if (error instanceof KirikaeError || error instanceof SyntaxError) return undefined;
      throw error;
    }
  }

  /** How long answers took in the last seconds; nothing of a gateway that cannot be asked. */
  async latencies(): Promise<LatencyByDestination> {
    const { reach } = this.#parts;
    try {
      const needed = await listGateways(this.#parts);
      return slowestOf(await Promise.all(needed.map((proxy) => askLatencies(createProxyAdmin(reach, proxy)))));
    } catch (error) {
      if (error instanceof KirikaeError) return new Map();
      throw error;
    }
  }
}

async function askLatencies(admin: ProxyAdmin): Promise<LatencyByDestination> {
  try {
    return await readLatencies(admin);
  } catch (error) {
    if (error instanceof KirikaeError || error instanceof SyntaxError) return new Map();
    throw error;
  }
}
