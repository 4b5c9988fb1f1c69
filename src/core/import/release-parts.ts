import type { Check, ExternalJudge, ReleaseSpec, ReleaseStep, ReleaseStrategy } from "../manifest/release.ts";

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
export const shortestCheckMs = 10_000;

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

/**
 * The `canary` preset where the steps are exactly that: rising weights, each with the same gates, then everything.
 * Otherwise the steps themselves.
 */
export function chooseStrategy(steps: readonly ReleaseStep[]): ReleaseStrategy {
  const written: ReleaseStrategy = { kind: "steps", steps };
  const rest = [...steps];
  if (rest.pop()?.kind !== "switch") return written;
  const last = rest.at(-1);
  const approve = last?.kind === "approve" ? last : undefined;
  if (approve !== undefined) rest.pop();
  const size = rest.findIndex(({ kind }, index) => index > 0 && kind === "weight");
  const stage = rest.slice(0, size === -1 ? rest.length : size);
  const [, ...gates] = stage;
  const weights: number[] = [];
  for (let at = 0; at < rest.length; at += stage.length) {
    const step = rest[at];
    if (step?.kind !== "weight" || typeof step.shares !== "number") return written;
    if (JSON.stringify(rest.slice(at + 1, at + stage.length)) !== JSON.stringify(gates)) return written;
    weights.push(step.shares);
  }
  const isRising = weights.every((weight, index) => weight > (weights[index - 1] ?? 0) && weight < 100);
  const [first, second] = gates;
  const hold = first?.kind === "hold" ? first : undefined;
  const check = hold === undefined ? first : second;
  const isPreset = gates.length <= (hold === undefined ? 1 : 2) && (check === undefined || check.kind === "check");
  if (weights.length === 0 || !isRising || !isPreset) return written;
  return {
    kind: "canary",
    weights,
    hold: hold === undefined ? undefined : { durationMs: hold.durationMs },
    check: check?.kind === "check" ? check : undefined,
    approve,
  };
}
