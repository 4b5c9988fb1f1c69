import type { EnvoyAdmin } from "./admin.ts";

/** What one inbound listener has seen since its proxy started. */
interface InboundCounters {
  /** Answers by the first digit of their status; empty for bytes. */
  readonly answers: ReadonlyMap<number, number>;
  /** Requests and connections that the limits before the workload turned away, and not those that only waited. */
  readonly refused: number;
  /** Of bytes; requests share connections. */
  readonly connections: number;
}

/** How long answers took, in milliseconds; of all since the proxy started. */
interface InboundLatency {
  readonly p50Ms: number;
  readonly p99Ms: number;
}

export interface InboundReading {
  /** By the id of the listener. */
  readonly counters: ReadonlyMap<string, InboundCounters>;
  readonly latencies: ReadonlyMap<string, InboundLatency>;
}

const counted = "downstream_rq_([1-5]xx|time)|downstream_cx_total|upstream_rq_pending_overflow";
const counterPattern = /^(?<kind>http|tcp|cluster)\.(?<name>inbound\|.+)\.(?<what>\w+)$/;
const timePattern = /^http\.(?<name>inbound\|.+)\.downstream_rq_time$/;

/** Reads what Envoy counted before the workloads (Envoy doc: "HTTP connection manager" and "Cluster" statistics). */
export async function readInbound(admin: EnvoyAdmin): Promise<InboundReading> {
  const { values, quantiles } = await admin.statsWithQuantiles(`^(http|tcp|cluster)\\.inbound\\|.*\\.(${counted})$`);
  const counters = new Map<string, InboundCounters>();
  for (const [stat, value] of values) {
    const { kind, name, what } = counterPattern.exec(stat)?.groups ?? {};
    if (kind === undefined || name === undefined || what === undefined) continue;
    const id = kind === "cluster" ? listenerOf(name) : name;
    counters.set(id, add(counters.get(id) ?? nothing, { kind, what, value }));
  }
  const latencies = new Map<string, InboundLatency>();
  for (const [stat, times] of quantiles) {
    const { name } = timePattern.exec(stat)?.groups ?? {};
    const p50Ms = times.get(50);
    const p99Ms = times.get(99);
    if (name !== undefined && p50Ms !== undefined && p99Ms !== undefined) latencies.set(name, { p50Ms, p99Ms });
  }
  return { counters, latencies };
}

const nothing: InboundCounters = { answers: new Map(), refused: 0, connections: 0 };

function add(
  before: InboundCounters,
  { kind, what, value }: { readonly kind: string; readonly what: string; readonly value: number },
): InboundCounters {
  const digit = /^downstream_rq_(?<digit>[1-5])xx$/.exec(what)?.groups?.["digit"];
  if (digit !== undefined) return { ...before, answers: new Map([...before.answers, [Number(digit), value]]) };
  if (what !== "downstream_cx_total") return { ...before, refused: before.refused + value };
  return kind === "tcp" ? { ...before, connections: value } : before;
}

/** A cluster has the name of its listener with one bar more; see inbound-names.ts. */
function listenerOf(cluster: string): string {
  return cluster.replace("||", "|");
}

/** Counts of several proxies together; of times the longest, because quantiles cannot be added up. */
export function mergeInbound(readings: readonly InboundReading[]): InboundReading {
  const counters = new Map<string, InboundCounters>();
  const latencies = new Map<string, InboundLatency>();
  for (const reading of readings) {
    for (const [id, each] of reading.counters) counters.set(id, sum(counters.get(id) ?? nothing, each));
    for (const [id, { p50Ms, p99Ms }] of reading.latencies) {
      const known = latencies.get(id) ?? { p50Ms: 0, p99Ms: 0 };
      latencies.set(id, { p50Ms: Math.max(known.p50Ms, p50Ms), p99Ms: Math.max(known.p99Ms, p99Ms) });
    }
  }
  return { counters, latencies };
}

function sum(one: InboundCounters, other: InboundCounters): InboundCounters {
  const answers = new Map(one.answers);
  for (const [digit, count] of other.answers) answers.set(digit, (answers.get(digit) ?? 0) + count);
  return { answers, refused: one.refused + other.refused, connections: one.connections + other.connections };
}
