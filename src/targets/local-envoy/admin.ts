import { Agent, request } from "node:http";
import { KirikaeError } from "../../core/diagnostics/error.ts";
import type { LatencyDistribution } from "../../core/release/check/latency-distribution.ts";

const defaultTimeoutMs = 10_000;

interface StatsAnswer {
  readonly stats: readonly {
    readonly name?: string;
    readonly value?: number | string;
    readonly histograms?: {
      readonly supported_quantiles?: readonly number[];
      readonly computed_quantiles?: readonly {
        readonly name: string;
        readonly values: readonly { readonly interval?: number | null; readonly cumulative: number | null }[];
      }[];
      /** In the form `detailed`. */
      readonly details?: readonly {
        readonly name: string;
        readonly totals?: readonly { readonly lower_bound: number; readonly width: number; readonly count: number }[];
      }[];
    };
  }[];
}

/** Quantiles of one histogram, by percentage, such as 99. */
type Quantiles = ReadonlyMap<number, number>;

interface StatsOptions {
  /** Leaves out what was never counted, and is 0. */
  readonly usedOnly: boolean;
  /** Stats of other kinds are not even looked at, which takes Envoy a third of the time among thousands of services. */
  readonly type?: "Counters" | "Gauges" | "Histograms";
}

/** Envoy's admin interface over its Unix socket, on one connection that is kept (Envoy doc: operations/admin). */
export class EnvoyAdmin implements Disposable {
  readonly #socketPath: string;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 });

  constructor(socketPath: string) {
    this.#socketPath = socketPath;
  }

  /** @throws KirikaeError KIR3004 when Envoy does not answer with 200 in time. */
  async get(path: string, timeoutMs: number = defaultTimeoutMs): Promise<string> {
    try {
      return await this.#send(path, timeoutMs);
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      throw new KirikaeError("KIR3004", `Envoy's admin interface did not answer ${path}: ${error.message}.`, {
        exitStatus: 3,
        hint: "Is Envoy running? Its log is in the state folder.",
        cause: error,
      });
    }
  }

  /** Values of counters and gauges by name; `filter` is an RE2 expression that is searched for in the name. */
  async stats(filter: string, options: StatsOptions): Promise<ReadonlyMap<string, number>> {
    return valuesOf(await this.#readStats(filter, options));
  }

  /** The value of one gauge. */
  async gauge(name: string): Promise<number | undefined> {
    const filter = `^${name.replaceAll(".", String.raw`\.`)}$`;
    return (await this.stats(filter, { usedOnly: false, type: "Gauges" })).get(name);
  }

  /** The same with the quantiles of histograms by name, of those that were used; one look over all names for both. */
  async statsWithQuantiles(
    filter: string,
    options: Pick<StatsOptions, "type"> = {},
  ): Promise<{
    readonly values: ReadonlyMap<string, number>;
    /** Over all that was ever recorded. */
    readonly quantiles: ReadonlyMap<string, Quantiles>;
    /** Over the last flush interval. */
    readonly recent: ReadonlyMap<string, Quantiles>;
  }> {
    const answer = await this.#readStats(filter, { ...options, usedOnly: true });
    return {
      values: valuesOf(answer),
      quantiles: quantilesOf(answer, "cumulative"),
      recent: quantilesOf(answer, "interval"),
    };
  }

  async #readStats(filter: string, { usedOnly, type }: StatsOptions): Promise<StatsAnswer> {
    const wanted = `${usedOnly ? "&usedonly" : ""}${type === undefined ? "" : `&type=${type}`}`;
    const answer: StatsAnswer = JSON.parse(
      await this.get(`/stats?format=json${wanted}&filter=${encodeURIComponent(filter)}`),
    );
    return answer;
  }

  /** Values by name, and histograms with the buckets of all that was ever recorded; of those that were used. */
  async statsWithBuckets(filter: string): Promise<{
    readonly values: ReadonlyMap<string, number>;
    readonly histograms: ReadonlyMap<string, LatencyDistribution>;
  }> {
    const answer: StatsAnswer = JSON.parse(
      await this.get(`/stats?format=json&usedonly&histogram_buckets=detailed&filter=${encodeURIComponent(filter)}`),
    );
    return { values: valuesOf(answer), histograms: bucketsOf(answer) };
  }

  /** The number of Envoy's worker threads. */
  async concurrency(): Promise<number> {
    const info: { command_line_options: { concurrency: number } } = JSON.parse(await this.get("/server_info"));
    return info.command_line_options.concurrency;
  }

  /** The values of all runtime keys that are set, layers overlaid. */
  async runtime(timeoutMs: number = defaultTimeoutMs): Promise<ReadonlyMap<string, string>> {
    const body: { entries: Record<string, { final_value: string }> } = JSON.parse(
      await this.get("/runtime", timeoutMs),
    );
    return new Map(Object.entries(body.entries).map(([key, { final_value }]) => [key, final_value]));
  }

  [Symbol.dispose](): void {
    this.#agent.destroy();
  }

  #send(path: string, timeoutMs: number): Promise<string> {
    return new Promise((resolve, reject) => {
      const sent = request(
        { socketPath: this.#socketPath, path, agent: this.#agent, headers: { host: "envoy" }, timeout: timeoutMs },
        (response) => {
          const chunks: Buffer[] = [];
          response.on("data", (chunk: Buffer) => chunks.push(chunk));
          response.on("error", reject);
          response.on("end", () => {
            if (response.statusCode === 200) resolve(Buffer.concat(chunks).toString("utf8"));
            else reject(new Error(`status ${response.statusCode ?? 0}`));
          });
        },
      );
      sent.on("timeout", () => sent.destroy(new Error(`no answer within ${timeoutMs} ms`)));
      sent.on("error", reject);
      sent.end();
    });
  }
}

function bucketsOf({ stats }: StatsAnswer): ReadonlyMap<string, LatencyDistribution> {
  const details = stats.flatMap(({ histograms }) => histograms?.details ?? []);
  return new Map(
    details.map(({ name, totals = [] }) => [
      name,
      // Times are recorded in whole milliseconds, rounded down, so a bucket below 10 stands for a whole one.
      totals.map(({ lower_bound: fromMs, width, count }) => ({ fromMs, widthMs: Math.max(1, width), count })),
    ]),
  );
}

function valuesOf({ stats }: StatsAnswer): ReadonlyMap<string, number> {
  const values = new Map<string, number>();
  for (const { name, value } of stats) if (name !== undefined && typeof value === "number") values.set(name, value);
  return values;
}

/** Histograms without a quantile have recorded nothing. */
function quantilesOf({ stats }: StatsAnswer, over: "cumulative" | "interval"): ReadonlyMap<string, Quantiles> {
  const found = new Map<string, Quantiles>();
  for (const { histograms } of stats) {
    for (const { name, values } of histograms?.computed_quantiles ?? []) {
      const quantiles = (histograms?.supported_quantiles ?? []).flatMap((percent, index) => {
        const value = values[index]?.[over] ?? null;
        return value === null ? [] : [[percent, value] as const];
      });
      if (quantiles.length > 0) found.set(name, new Map(quantiles));
    }
  }
  return found;
}
