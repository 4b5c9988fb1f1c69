import { setTimeout as delay } from "node:timers/promises";
import { errorText } from "../../core/diagnostics/error-text.ts";
import { KirikaeError } from "../../core/diagnostics/error.ts";
import type { Ledger, MovePlan, VersionName } from "../../core/release/move/move.ts";
import type { DestinationId, RouteTable } from "../../core/routes/route-table.ts";
import type { Clock, LedgerSession } from "../../engine/ports.ts";
import type { NeededProxy } from "./needed-proxies.ts";
import type { ProxyAdmin } from "./proxy-admin.ts";
import { type DestinationTally, readTallies } from "./proxy-stats.ts";

interface CountedProxy {
  readonly proxy: NeededProxy;
  readonly admin: ProxyAdmin;
}

export interface CounterLedgerParts {
  readonly plan: MovePlan;
  readonly proxies: readonly CountedProxy[];
  /** Lists the proxies again, so that those that came or began anew are noticed. */
  readonly list: () => Promise<readonly NeededProxy[]>;
  readonly table: () => RouteTable;
  readonly clock: Clock;
}

/** How often the counters of a version that gives its requests up are read after the call, to see when it gave the last. */
const sampleEveryMs = 100;

/** What one proxy has counted at one time. */
type Tallies = ReadonlyMap<DestinationId, DestinationTally>;

/**
 * Counts by the proxies' own counters, from opening to closing. They tell requests by destination and not by rule, so
 * what other rules send there is counted too; and it counts nothing at all where a proxy keeps no counters, which
 * `uncounted` says.
 */
export class CounterLedger implements LedgerSession {
  readonly #parts: CounterLedgerParts;
  readonly #opened: readonly Tallies[];
  readonly #sampling = new AbortController();
  #sampled: Promise<void> = Promise.resolve();
  #atDone: Promise<readonly Tallies[] | undefined> | undefined;
  #callMs: number | undefined;
  #lastOldMs: number | undefined;
  #uncounted: string | undefined;

  private constructor(parts: CounterLedgerParts, opened: readonly Tallies[], uncounted: string | undefined) {
    this.#parts = parts;
    this.#opened = opened;
    this.#uncounted = uncounted;
  }

  /** Never rejects for what proxies do: a session that cannot count says so when it is closed. */
  static async open(parts: CounterLedgerParts): Promise<CounterLedger> {
    if (parts.proxies.length === 0) return new CounterLedger(parts, [], "no proxy was found that could count");
    const opened = await readAll(parts);
    if (typeof opened === "string") return new CounterLedger(parts, [], opened);
    return new CounterLedger(parts, opened, undefined);
  }

  /** Why there are no counts, in words that follow "because"; undefined where there are. */
  get uncounted(): string | undefined {
    return this.#uncounted;
  }

  markCall(atMs: number): void {
    this.#callMs = atMs;
    if (this.#uncounted === undefined) this.#sampled = this.#sample();
  }

  /** The counters of the moment are read, so that it does not matter which one is named. */
  markDone(): void {
    if (this.#uncounted !== undefined) return;
    this.#atDone = readAll(this.#parts).then((tallies) => (typeof tallies === "string" ? undefined : tallies));
  }

  async close(): Promise<Ledger | undefined> {
    this.#sampling.abort();
    await this.#sampled;
    if (this.#uncounted !== undefined) return undefined;
    const closed = await readAll(this.#parts);
    const atDone = await this.#atDone;
    this.#uncounted = typeof closed === "string" ? closed : await this.#findChange(closed);
    // Without them nobody knows what was answered after "done".
    if (this.#atDone !== undefined && atDone === undefined)
      this.#uncounted ??= "the counters could not be read when the move was proved";
    if (typeof closed === "string" || this.#uncounted !== undefined) return undefined;
    return this.#buildLedger(closed, atDone);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#sampling.abort();
    await this.#sampled;
  }

  #buildLedger(closed: readonly Tallies[], atDone: readonly Tallies[] | undefined): Ledger {
    const { versions } = this.#parts.plan;
    const span = { before: this.#opened, after: closed };
    const byVersion: Record<VersionName, number> = {};
    const failedByVersion: Record<VersionName, number> = {};
    const failures: string[] = [];
    for (const { name, destinations } of versions) {
      byVersion[name] = growth(span, destinations, "completed");
      const failed = growth(span, destinations, "errors");
      failedByVersion[name] = failed;
      if (failed > 0) failures.push(`${failed} answers of 500 or more from ${name}`);
    }
    const requests = sum(Object.values(byVersion));
    const failed = sum(Object.values(failedByVersion));
    return {
      requests,
      ok: requests - failed,
      failed,
      byVersion,
      failedByVersion,
      lastOldMs: this.#lastOldMs ?? null,
      oldAfterDone: atDone === undefined ? 0 : growth({ before: atDone, after: closed }, this.#emptied(), "begun"),
      clientGone: 0,
      failures,
      isComplete: true,
    };
  }

  /** Counters of a proxy that began anew, or came in between, would tell of something else. */
  async #findChange(closed: readonly Tallies[]): Promise<string | undefined> {
    const { proxies, list } = this.#parts;
    const now = await answerOf(list);
    if (typeof now === "string") return now;
    const before = new Map(proxies.map(({ proxy }) => [proxy.id, proxy.life]));
    const other = now.find(({ id, life }) => before.get(id) !== life);
    if (other !== undefined) return `${other.id} has come or begun anew meanwhile`;
    const shrunk = proxies.find((_, at) =>
      [...(closed[at] ?? [])].some(([id, { begun }]) => begun < (this.#opened[at]?.get(id)?.begun ?? 0)),
    );
    return shrunk === undefined ? undefined : `${shrunk.proxy.id} has begun anew meanwhile`;
  }

  /** Destinations that get nothing after the move, from any rule or copy that the table knows of. */
  #emptied(): readonly DestinationId[] {
    const { plan, table } = this.#parts;
    const moved = new Set(plan.changes.map(({ split }) => split));
    const used = new Set<DestinationId>();
    for (const { after } of plan.changes)
      for (const [id, weight] of Object.entries(after)) if (weight > 0) used.add(id);
    for (const { action } of table().httpRoutings.flatMap(({ virtualHosts }) =>
      virtualHosts.flatMap(({ routes }) => routes),
    )) {
      if (action.kind !== "forward") continue;
      for (const { destination } of action.mirrors) used.add(destination);
      if (moved.has(action.split.id)) continue;
      for (const { destination, weight } of action.split.arms) if (weight > 0) used.add(destination);
    }
    const given = plan.changes.flatMap(({ before }) => Object.keys(before).filter((id) => (before[id] ?? 0) > 0));
    return [...new Set(given)].filter((id) => !used.has(id));
  }

  /** The time of a look is the latest at which the answer can have been given. */
  async #sample(): Promise<void> {
    const { clock } = this.#parts;
    const { signal } = this.#sampling;
    let before = this.#opened;
    let isFirst = true;
    while (!signal.aborted) {
      const askedMs = clock.nowMs();
      const now = await readAll(this.#parts);
      if (typeof now !== "string") {
        const emptied = this.#emptied();
        const atMs = clock.nowMs();
        if (!isFirst && growth({ before, after: now }, emptied, "completed") > 0)
          this.#lastOldMs = atMs - (this.#callMs ?? atMs);
        before = now;
        isFirst = false;
      }
      // Going through all statistics keeps a proxy busy, so looks are a small part of the time.
      const pauseMs = Math.max(sampleEveryMs, (clock.nowMs() - askedMs) * 10);
      // Whoever closes it waits for nothing more: that can be seconds where there are many statistics.
      await delay(pauseMs, undefined, { signal }).catch(() => undefined);
    }
  }
}

/** A text says why they cannot be counted. */
async function readAll({ plan, proxies }: CounterLedgerParts): Promise<readonly Tallies[] | string> {
  const destinations = plan.versions.flatMap((version) => [...version.destinations]);
  const all = await Promise.all(
    proxies.map(async ({ proxy, admin }) => {
      const tallies = await answerOf(() => readTallies(admin, destinations));
      if (typeof tallies === "string") return `${proxy.id} cannot be asked (${tallies})`;
      return tallies ?? `${proxy.id} keeps no counters of destinations (Istio's proxyStatsMatcher)`;
    }),
  );
  const fault = all.find((each) => typeof each === "string");
  return fault ?? all.filter((each) => typeof each !== "string");
}

async function answerOf<Answer>(ask: () => Promise<Answer>): Promise<Answer | string> {
  try {
    return await ask();
  } catch (error) {
    // It lists every way that was tried, which is more than the sentence around this can hold.
    if (error instanceof KirikaeError && error.code === "KIR4010") return "no way leads there";
    if (error instanceof KirikaeError || error instanceof SyntaxError) return errorText(error);
    throw error;
  }
}

interface Span {
  readonly before: readonly Tallies[];
  readonly after: readonly Tallies[];
}

function growth({ before, after }: Span, destinations: readonly DestinationId[], of: keyof DestinationTally): number {
  return sum(
    after.flatMap((tallies, at) =>
      destinations.map((id) => (tallies.get(id)?.[of] ?? 0) - (before[at]?.get(id)?.[of] ?? 0)),
    ),
  );
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0);
}
