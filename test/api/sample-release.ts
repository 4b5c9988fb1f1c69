import type { ReleaseLive, ReleaseStatus } from "../../src/api/types.ts";

/** 2026-11-21T10:00:00Z. */
export const sampleStartMs = Date.parse("2026-11-21T10:00:00.000Z");

const virtualService = "sample-ns/sample-app";

/** A release of the sample app that holds at 10 %, five minutes after its start; `more` says what is different. */
export function sampleRelease(more: Partial<ReleaseStatus> = {}): ReleaseStatus {
  const release: Omit<ReleaseStatus, "plan"> = {
    id: "r1",
    release: "sample-ns/to-green",
    to: "green",
    services: [virtualService],
    phase: "holding",
    step: 2,
    message: "holds until its time is over, or until it is promoted",
    untilMs: sampleStartMs + 600_000,
    approval: null,
    limitMs: null,
    steps: [
      { number: 1, kind: "weight", state: "done", summary: "green 10 %, blue 90 %" },
      { number: 2, kind: "hold", state: "now", summary: "for 10 min" },
      { number: 3, kind: "approve", state: "next", summary: "2 people: Do the figures of green look right?" },
      { number: 4, kind: "switch", state: "next", summary: "everything to green" },
    ],
    startedAt: new Date(sampleStartMs).toISOString(),
    actor: "ann",
    reason: "release 12",
    lastEvent: { kind: "moved", atMs: sampleStartMs + 1_000, failed: 0, move: "m2" },
    check: null,
    live: null,
    events: [
      { kind: "start", atMs: sampleStartMs },
      { kind: "moved", atMs: sampleStartMs + 1_000, failed: 0, move: "m2" },
    ],
    ...more,
  };
  const plan = { release: release.release, to: release.to, steps: [], spec: {} } as unknown as ReleaseStatus["plan"];
  return { plan, ...release };
}

/** What the proxies do for it; green has this share. */
export function sampleLive(green: number, wanted = 10): ReleaseLive {
  return {
    atMs: sampleStartMs + 300_000,
    rules: [
      {
        virtualService,
        rule: 1,
        name: "public",
        wanted: { blue: 100 - wanted, green: wanted },
        observed: { blue: 100 - green, green },
        isAsWanted: green === wanted,
      },
    ],
    versions: [
      {
        virtualService,
        name: "blue",
        requestsPerSecond: 180.4,
        errorsPerSecond: 0,
        latency: { p50Ms: 3.1, p99Ms: 12.4 },
      },
      {
        virtualService,
        name: "green",
        requestsPerSecond: 20.2,
        errorsPerSecond: 0.4,
        latency: { p50Ms: 3.4, p99Ms: 15 },
      },
    ],
  };
}
