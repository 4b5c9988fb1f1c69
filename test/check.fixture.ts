import type { Check } from "../src/core/manifest/release.ts";

/** A check that asks for nothing but enough requests. */
export const plainCheck: Check = {
  durationMs: 60_000,
  initialDelayMs: 0,
  minRequests: 20,
  minSuccessPercent: undefined,
  comparesWithLive: false,
  latency: [],
  maxEjections: undefined,
  maxDifferentPercent: undefined,
  judges: [],
  isDryRun: false,
};
