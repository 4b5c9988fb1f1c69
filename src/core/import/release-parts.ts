import type { Check, ExternalJudge, ReleaseSpec, ReleaseStep } from "../manifest/release.ts";

/** A check that counts nothing by itself; what is measured is added to it. */
export function emptyCheck(durationMs: number): Check {
  return {
    durationMs: Math.max(durationMs, shortestCheckMs),
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
}

/** Time for a judge that is asked once. */
const shortestCheckMs = 10_000;

/** A judge that is asked once, at once. */
export function singleJudge(name: string, ask: ExternalJudge["ask"]): ExternalJudge {
  return {
    name,
    ask,
    intervalMs: 60_000,
    initialDelayMs: 0,
    count: 1,
    failureLimit: 0,
    inconclusiveLimit: 0,
    timeoutMs: 10_000,
    isDryRun: false,
  };
}

export function approval(question: string): ReleaseStep {
  return { kind: "approve", people: 1, question, expiresMs: undefined, letsStarterApprove: true };
}

/** Everything that a Release may leave out. */
export const plainSpec = {
  sessionAffinity: undefined,
  maxFailed: undefined,
  probes: undefined,
  freezes: [],
  maxDuration: undefined,
  notifications: [],
} satisfies Partial<ReleaseSpec>;

/** Judges of one check have names of their own. */
export function withOwnNames(judges: readonly ExternalJudge[]): readonly ExternalJudge[] {
  const taken = new Set<string>();
  return judges.map((judge) => {
    let { name } = judge;
    for (let number = 2; taken.has(name); number += 1) name = `${judge.name}-${number}`;
    taken.add(name);
    return { ...judge, name };
  });
}
