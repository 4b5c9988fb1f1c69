import { setTimeout as delay } from "node:timers/promises";
import { KirikaeError } from "../../core/diagnostics/error.ts";
import type { Ledger, MovePlan } from "../../core/release/move/move.ts";
import type { RouteTable } from "../../core/routes/route-table.ts";
import type { LedgerSession } from "../../engine/ports.ts";
import type { AccessLogEntry } from "../../xds/access-log-entry.ts";
import { CountingSwitch } from "./counting-switch.ts";
import { LedgerCounter } from "./ledger-counter.ts";
import { buildLostRequestTest } from "./lost-requests.ts";
import type { ProxySet } from "./proxy-set.ts";

export interface LedgerBookOptions {
  readonly proxies: ProxySet;
  /** The proxies that have a stream now. */
  connected(): readonly string[];
  /** The routes as a move finds them; undefined before there are any. */
  table(): RouteTable | undefined;
  /** Turns Envoy's records on or off. Returns whether every worker was seen to follow. */
  setCounting(isCounting: boolean): Promise<boolean>;
}

interface LogCounts {
  /** Which processes counted: those of one that has ended are gone, and so are records that it had not sent. */
  readonly processes: string;
  readonly written: number;
  readonly dropped: number;
}

/** From turning Envoy's records on to turning them off. */
interface CountingPeriod {
  /** Envoy's own counts when it began, and how many records had come by then. */
  readonly counts: LogCounts;
  readonly received: number;
}

const flushTimeoutMs = 2_000;
/** Three times Envoy's: after it, each worker has sent what it had when the time began. */
const flushIntervalMs = 150;

/** The open ledgers. Envoy records requests while there is at least one. */
export class LedgerBook {
  readonly #options: LedgerBookOptions;
  readonly #counting: CountingSwitch;
  /** Each with the moment of its opening, in ms since the epoch: what came to its end before is not its business. */
  readonly #open = new Map<LedgerCounter, number>();
  readonly #tallies = new Set<Tally>();
  #received = 0;
  /** Streams that proxies have opened: one that was started anew has opened another. */
  #streams = 0;
  #period: CountingPeriod | undefined;
  /** No record is on its way that a period which begins now could take for its own. */
  #isQuiet = true;

  constructor(options: LedgerBookOptions) {
    this.#options = options;
    this.#counting = new CountingSwitch({ turnOn: () => this.#turnOn(), turnOff: () => this.#turnOff() });
  }

  take(entries: readonly AccessLogEntry[]): void {
    this.#received += entries.length;
    for (const tally of this.#tallies) {
      tally.count += entries.filter(({ endMs }) => endMs <= tally.untilMs).length;
    }
    for (const [counter, openedMs] of this.#open) {
      for (const entry of entries) if (entry.endMs >= openedMs && !entry.isProbe) counter.add(entry);
    }
  }

  /** To be called for every stream that a proxy opens. */
  noteStream(): void {
    this.#streams += 1;
  }

  /** @throws KirikaeError KIR3006 when not every proxy was seen to count; none is left counting for it then. */
  async open(plan: MovePlan): Promise<LedgerSession> {
    await this.#counting.acquire();
    const period = this.#period;
    if (period === undefined || period.counts.processes !== this.#processes()) {
      // Another move turned it on, and a proxy has ended since.
      await this.#counting.release();
      throw notCounting();
    }
    const table = this.#options.table();
    const counter = new LedgerCounter(plan, table === undefined ? () => false : buildLostRequestTest(table, plan));
    this.#open.set(counter, Date.now());
    let closing: Promise<Ledger> | undefined;
    const close = (): Promise<Ledger> => (closing ??= this.#close(counter, period));
    return {
      markCall: (atMs) => counter.markCall(atMs),
      markDone: (atMs) => counter.markDone(atMs),
      close,
      async [Symbol.asyncDispose]() {
        await close();
      },
    };
  }

  async #close(counter: LedgerCounter, period: CountingPeriod): Promise<Ledger> {
    try {
      const isComplete = (await this.#counting.release()) ?? (await this.#waitForFlush(period));
      return counter.result(isComplete);
    } finally {
      this.#open.delete(counter);
    }
  }

  async #turnOn(): Promise<void> {
    if (!this.#isQuiet) await this.#calmDown();
    const received = this.#received;
    const counts = await this.#readCounts();
    if (counts === undefined) throw notCounting();
    let isOn = false;
    this.#isQuiet = false;
    try {
      isOn = (await this.#options.setCounting(true)) && counts.processes === this.#processes();
    } finally {
      if (!isOn) await this.#options.setCounting(false);
    }
    if (!isOn) throw notCounting();
    this.#period = { counts, received };
  }

  /** Nothing is written any more, so when as many records as Envoy has counted have come, none is on its way. */
  async #turnOff(): Promise<boolean> {
    const period = this.#period;
    this.#period = undefined;
    this.#isQuiet = false;
    const isOff = await this.#options.setCounting(false);
    const expected = await this.#readExpected(period);
    if (period === undefined || expected === undefined || !isOff) return false;
    this.#isQuiet = await hasCome(() => this.#received - period.received >= expected);
    return this.#isQuiet;
  }

  /** After a period that lost records, or may go on. */
  async #calmDown(): Promise<void> {
    if (!(await this.#options.setCounting(false))) throw notCounting();
    await delay(flushIntervalMs);
    this.#isQuiet = true;
  }

  /**
   * While others count on, records of later requests come too and must not stand in for those that are awaited. Each
   * worker sends on its own, so time has to pass as well.
   */
  async #waitForFlush(period: CountingPeriod): Promise<boolean> {
    const expected = await this.#readExpected(period);
    if (expected === undefined) return false;
    const tally: Tally = { untilMs: Date.now() + 1, count: this.#received - period.received };
    this.#tallies.add(tally);
    try {
      await delay(flushIntervalMs);
      return await hasCome(() => tally.count >= expected);
    } finally {
      this.#tallies.delete(tally);
    }
  }

  /** How many records Envoy has written in a period up to now; undefined when that cannot be known, or some are lost. */
  async #readExpected(period: CountingPeriod | undefined): Promise<number | undefined> {
    const end = await this.#readCounts();
    if (period === undefined || end?.processes !== period.counts.processes) return undefined;
    const { written, dropped } = period.counts;
    return end.dropped > dropped || end.written < written ? undefined : end.written - written;
  }

  /** Undefined when a proxy is not connected or could not be asked: then nothing is known to be complete. */
  async #readCounts(): Promise<LogCounts | undefined> {
    const { proxies } = this.#options;
    const before = this.#processes();
    if (before === undefined) return undefined;
    const all = await proxies.ask(({ admin }) =>
      admin.stats("^access_logs\\.grpc_access_log\\.logs_(written|dropped)$", { usedOnly: true, type: "Counters" }),
    );
    const processes = this.#processes();
    if (all.length < proxies.all.length || processes !== before) return undefined;
    const sum = (name: string) => all.reduce((total, stats) => total + (stats.get(name) ?? 0), 0);
    return {
      processes,
      written: sum("access_logs.grpc_access_log.logs_written"),
      dropped: sum("access_logs.grpc_access_log.logs_dropped"),
    };
  }

  /** Differs whenever a proxy has ended or was started in between; undefined while one is not connected. */
  #processes(): string | undefined {
    const { proxies } = this.#options;
    const nodes = new Set(this.#options.connected());
    if (!proxies.all.every(({ node }) => nodes.has(node))) return undefined;
    return [this.#streams, ...proxies.all.map(({ proxy }) => proxy.pid?.() ?? "")].join(" ");
  }
}

/** Records of requests that ended by a moment, of Envoy's clock in ms since the epoch. */
interface Tally {
  readonly untilMs: number;
  count: number;
}

async function hasCome(isThere: () => boolean): Promise<boolean> {
  const deadlineMs = performance.now() + flushTimeoutMs;
  while (!isThere()) {
    if (performance.now() > deadlineMs) return false;
    await delay(5);
  }
  return true;
}

function notCounting(): KirikaeError {
  return new KirikaeError("KIR3006", "Not every proxy was seen to count requests, so a move could not be proved.", {
    exitStatus: 1,
    hint: "Nothing was moved. `kirikae status` shows which proxies are connected.",
  });
}
