import type { LoadRecord } from "./load-records.ts";

export interface LoadSummary {
  readonly requests: number;
  /** Answers below 500. */
  readonly ok: number;
  /** No answer, or a status of 500 and above. */
  readonly failed: number;
  readonly byVersion: Readonly<Record<string, number>>;
  /** Failures by what they were: `503`, or the client's error. */
  readonly failures: Readonly<Record<string, number>>;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

/** Sums up a run. Latency is from the first byte sent to the last byte received, of answered requests. */
export function summarizeLoad(records: readonly LoadRecord[]): LoadSummary {
  const byVersion: Record<string, number> = {};
  const failures: Record<string, number> = {};
  const latencies: number[] = [];
  let failed = 0;
  for (const record of records) {
    if (isFailed(record)) {
      failed += 1;
      const reason = record.error ?? String(record.status);
      failures[reason] = (failures[reason] ?? 0) + 1;
    }
    if (record.error !== undefined) continue;
    latencies.push(record.doneMs - record.sentMs);
    const version = record.version ?? "unknown";
    byVersion[version] = (byVersion[version] ?? 0) + 1;
  }
  latencies.sort((a, b) => a - b);
  return {
    requests: records.length,
    ok: records.length - failed,
    failed,
    byVersion,
    failures,
    p50Ms: percentile(latencies, 0.5),
    p99Ms: percentile(latencies, 0.99),
    maxMs: percentile(latencies, 1),
  };
}

export function isFailed(record: LoadRecord): boolean {
  return record.error !== undefined || record.status >= 500;
}

/** What a client saw of one switch; every time counts from the call, undefined where it never happened. */
export interface SwitchView {
  readonly firstNewMs: number | undefined;
  /** When the last request that the old version answered was sent, of those sent after the call. */
  readonly lastOldSentMs: number | undefined;
  readonly lastOldDoneMs: number | undefined;
  /** Requests sent after "done" that the old version answered. */
  readonly oldAfterDone: number;
  /** Old answers received after the first new one. */
  readonly mixed: number;
  readonly requests: number;
  readonly failed: number;
}

export interface SwitchMoment {
  readonly old: string;
  readonly new: string;
  readonly callMs: number;
  readonly doneMs: number;
  /** Records sent before this do not belong to the switch's settled past; by default the call itself. */
  readonly fromMs?: number;
  /** The next switch's call: what was sent after it, or was still under way then, says nothing about this one. */
  readonly untilMs: number;
}

/** Reads one switch out of the records of public requests. */
export function viewSwitch(records: readonly LoadRecord[], moment: SwitchMoment): SwitchView {
  const { callMs } = moment;
  const fromMs = moment.fromMs ?? callMs;
  const during = records.filter((record) => record.sentMs >= fromMs && record.sentMs < moment.untilMs);
  const after = during.filter((record) => record.sentMs >= callMs && record.doneMs < moment.untilMs);
  const old = after.filter((record) => record.version === moment.old);
  const firstNewMs = lowest(after.filter((record) => record.version === moment.new).map((record) => record.doneMs));
  return {
    firstNewMs: since(callMs, firstNewMs),
    lastOldSentMs: since(callMs, highest(old.map((record) => record.sentMs))),
    lastOldDoneMs: since(callMs, highest(old.map((record) => record.doneMs))),
    oldAfterDone: old.filter((record) => record.sentMs > moment.doneMs).length,
    mixed: firstNewMs === undefined ? 0 : old.filter((record) => record.doneMs > firstNewMs).length,
    requests: during.length,
    failed: during.filter(isFailed).length,
  };
}

/** Requests sent after `sentAfterMs` that `version` answered. */
export function countAnswers(records: readonly LoadRecord[], version: string, sentAfterMs: number): number {
  return records.reduce(
    (count, record) => count + (record.sentMs > sentAfterMs && record.version === version ? 1 : 0),
    0,
  );
}

/** The `share` quantile (0 to 1) of numbers in ascending order; NaN for none. */
export function percentile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

export function median(values: readonly number[]): number {
  return percentile(
    values.toSorted((a, b) => a - b),
    0.5,
  );
}

function since(callMs: number, atMs: number | undefined): number | undefined {
  return atMs === undefined ? undefined : atMs - callMs;
}

function lowest(values: readonly number[]): number | undefined {
  return values.reduce<number | undefined>(
    (best, value) => (best === undefined || value < best ? value : best),
    undefined,
  );
}

function highest(values: readonly number[]): number | undefined {
  return values.reduce<number | undefined>(
    (best, value) => (best === undefined || value > best ? value : best),
    undefined,
  );
}
