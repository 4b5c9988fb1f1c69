import type { Ledger } from "../core/release/move/move.ts";
import type { LedgerSession } from "../engine/ports.ts";

/** The counts of several clusters as one. */
export class SitesLedger implements LedgerSession {
  readonly #sessions: ReadonlyMap<string, LedgerSession>;
  readonly #stack: AsyncDisposableStack;

  /** @param stack disposes of all of the sessions */
  constructor(sessions: ReadonlyMap<string, LedgerSession>, stack: AsyncDisposableStack) {
    this.#sessions = sessions;
    this.#stack = stack;
  }

  /** Of the first cluster that could not. */
  get uncounted(): string | undefined {
    const [why] = [...this.#sessions].flatMap(([context, { uncounted }]) =>
      uncounted === undefined ? [] : [`${context}: ${uncounted}`],
    );
    return why;
  }

  markCall(atMs: number): void {
    for (const session of this.#sessions.values()) session.markCall(atMs);
  }

  markDone(atMs: number): void {
    for (const session of this.#sessions.values()) session.markDone(atMs);
  }

  /** Where one cluster cannot count, the sum of the others would look as if it were of all. */
  async close(): Promise<Ledger | undefined> {
    const closed = await Promise.all(
      [...this.#sessions].map(async ([context, session]) => ({ context, ledger: await session.close() })),
    );
    const ledgers: { readonly context: string; readonly ledger: Ledger }[] = [];
    for (const { context, ledger } of closed) {
      if (ledger === undefined) return undefined;
      ledgers.push({ context, ledger });
    }
    const sumOf = (field: "requests" | "ok" | "failed" | "oldAfterDone" | "clientGone"): number =>
      ledgers.reduce((sum, { ledger }) => sum + ledger[field], 0);
    const lastOld = ledgers.flatMap(({ ledger }) => ledger.lastOldMs ?? []);
    return {
      requests: sumOf("requests"),
      ok: sumOf("ok"),
      failed: sumOf("failed"),
      byVersion: addUp(ledgers.map(({ ledger }) => ledger.byVersion)),
      failedByVersion: addUp(ledgers.map(({ ledger }) => ledger.failedByVersion ?? {})),
      lastOldMs: lastOld.length === 0 ? null : Math.max(...lastOld),
      oldAfterDone: sumOf("oldAfterDone"),
      clientGone: sumOf("clientGone"),
      failures: ledgers
        .flatMap(({ context, ledger }) => ledger.failures.map((failure) => `${context}: ${failure}`))
        .slice(0, 10),
      isComplete: ledgers.every(({ ledger }) => ledger.isComplete),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack[Symbol.asyncDispose]();
  }
}

function addUp(counts: readonly Readonly<Record<string, number>>[]): Readonly<Record<string, number>> {
  const sums: Record<string, number> = {};
  for (const [name, count] of counts.flatMap((each) => Object.entries(each))) sums[name] = (sums[name] ?? 0) + count;
  return sums;
}
