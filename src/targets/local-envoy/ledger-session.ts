import { setTimeout as delay } from "node:timers/promises";
import type { Ledger, MovePlan } from "../../core/release/move.ts";
import type { LedgerSession } from "../../engine/ports.ts";
import type { AccessLogEntry } from "../../xds/access-log-entry.ts";
import { LedgerCounter } from "./ledger-counter.ts";
import type { ProxySet } from "./proxy-set.ts";

export interface LedgerBookOptions {
  readonly proxies: ProxySet;
  /** Turns Envoy's records on or off. Returns whether every worker was seen to follow. */
  setCounting(isCounting: boolean): Promise<boolean>;
}

interface LogCounts {
  /** Which processes counted: those of one that has ended are gone, and so are records that it had not sent. */
  readonly pids: string;
  readonly written: number;
  readonly dropped: number;
}

const flushTimeoutMs = 2_000;

/** The open ledgers. Envoy records requests while there is at least one. */
export class LedgerBook {
  readonly #options: LedgerBookOptions;
  readonly #open = new Set<LedgerCounter>();
  #received = 0;
  /** Envoy's own counts when it began to record, and how many records had come by then. */
  #base: { readonly counts: LogCounts | undefined; readonly received: number } | undefined;

  constructor(options: LedgerBookOptions) {
    this.#options = options;
  }

  take(entries: readonly AccessLogEntry[]): void {
    this.#received += entries.length;
    for (const counter of this.#open) for (const entry of entries) counter.add(entry);
  }

  async open(plan: MovePlan): Promise<LedgerSession> {
    const counter = new LedgerCounter(plan);
    const isFirst = this.#open.size === 0;
    this.#open.add(counter);
    if (isFirst) this.#base = { counts: await this.#readCounts(), received: this.#received };
    const isOn = !isFirst || (await this.#options.setCounting(true));
    let closing: Promise<Ledger> | undefined;
    const close = (): Promise<Ledger> => (closing ??= this.#close(counter, isOn));
    return {
      markCall: (atMs) => counter.markCall(atMs),
      markDone: (atMs) => counter.markDone(atMs),
      close,
      async [Symbol.asyncDispose]() {
        await close();
      },
    };
  }

  async #close(counter: LedgerCounter, wasOn: boolean): Promise<Ledger> {
    const isLast = this.#open.size === 1;
    const isOff = !isLast || (await this.#options.setCounting(false));
    const isFlushed = await this.#waitForRecords();
    this.#open.delete(counter);
    return counter.result(wasOn && isOff && isFlushed);
  }

  /** Envoy counts what it has written to its buffers; when as many have arrived, none is on its way. */
  async #waitForRecords(): Promise<boolean> {
    const base = this.#base;
    const end = await this.#readCounts();
    if (base?.counts === undefined || end === undefined) return false;
    if (end.pids !== base.counts.pids) return false;
    if (end.dropped > base.counts.dropped || end.written < base.counts.written) return false;
    const expected = base.received + end.written - base.counts.written;
    const deadlineMs = performance.now() + flushTimeoutMs;
    while (this.#received < expected) {
      if (performance.now() > deadlineMs) return false;
      await delay(5);
    }
    return true;
  }

  /** Undefined when a proxy could not be asked: then nothing is known to be complete. */
  async #readCounts(): Promise<LogCounts | undefined> {
    const { proxies } = this.#options;
    const all = await proxies.ask(({ admin }) =>
      admin.stats("^access_logs\\.grpc_access_log\\.logs_(written|dropped)$", { usedOnly: false }),
    );
    if (all.length < proxies.all.length) return undefined;
    const sum = (name: string) => all.reduce((total, stats) => total + (stats.get(name) ?? 0), 0);
    return {
      pids: proxies.all.map(({ proxy }) => proxy.pid?.() ?? "").join(" "),
      written: sum("access_logs.grpc_access_log.logs_written"),
      dropped: sum("access_logs.grpc_access_log.logs_dropped"),
    };
  }
}
