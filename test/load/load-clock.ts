import type { ClockReading } from "./load-options.ts";

/** Milliseconds since the epoch, with fractions, as this process counts them. */
export function epochNowMs(): number {
  return performance.timeOrigin + performance.now();
}

export function readClock(): ClockReading {
  return { epochMs: epochNowMs(), monotonicNs: process.hrtime.bigint().toString() };
}

/** A clock that counts on from a reading taken by another process. */
export function clockFrom(reading: ClockReading): () => number {
  const originNs = process.hrtime.bigint();
  const originEpochMs = reading.epochMs + Number(originNs - BigInt(reading.monotonicNs)) / 1e6;
  const originNowMs = performance.now();
  return () => originEpochMs + (performance.now() - originNowMs);
}
