import type { ClockReading } from "./load-options.ts";

/** Milliseconds since the epoch, with fractions, as this process counts them. */
export function epochNowMs(): number {
  return performance.timeOrigin + performance.now();
}

const attempts = 50;

/**
 * Reads both clocks at one instant: of many attempts the one that was interrupted least, because a process that loses the
 * processor between two readings would be off by all of that time.
 */
export function readClock(): ClockReading {
  let best = { epochMs: 0, monotonicNs: 0n, gapNs: 1n << 62n };
  for (let attempt = 0; attempt < attempts; attempt++) {
    const beforeNs = process.hrtime.bigint();
    const epochMs = epochNowMs();
    const gapNs = process.hrtime.bigint() - beforeNs;
    if (gapNs < best.gapNs) best = { epochMs, monotonicNs: beforeNs + gapNs / 2n, gapNs };
  }
  return { epochMs: best.epochMs, monotonicNs: best.monotonicNs.toString() };
}

/** A clock that counts on from a reading taken by another process of this machine. */
export function clockFrom(reading: ClockReading): () => number {
  const own = readClock();
  const sinceReadingMs = Number(BigInt(own.monotonicNs) - BigInt(reading.monotonicNs)) / 1e6;
  const differenceMs = reading.epochMs + sinceReadingMs - own.epochMs;
  return () => epochNowMs() + differenceMs;
}
