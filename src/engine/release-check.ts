import { type Judgement, judgeVersion, type VersionCounts } from "../core/release/judge-version.ts";
import type { Check } from "../core/manifest/release.ts";
import type { ReleasePlan } from "../core/release/plan-release.ts";
import type { DestinationId } from "../core/routes/route-table.ts";
import type { Clock } from "./ports.ts";

/** Requests by destination since a proxy began; one that was restarted begins at 0 again. */
export type CountersByDestination = ReadonlyMap<DestinationId, VersionCounts>;

export interface CheckOptions {
  readonly plan: ReleasePlan;
  readonly check: Check;
  /** Undefined while a proxy cannot be asked. */
  readonly counters: () => Promise<CountersByDestination | undefined>;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

const lookEveryMs = 1_000;

/** How long after its time a check waits for a proxy that does not answer: one that ended is back by then. */
const patienceMs = 30_000;

/**
 * Counts from now and judges once a second; undefined when it was told to stop. A look that a proxy does not answer is
 * left out, because one that is busy or starts again says nothing of the version.
 */
export async function runCheck({ plan, check, counters, clock, signal }: CheckOptions): Promise<Judgement | undefined> {
  const versions = destinationsOf(plan);
  const endMs = clock.nowMs() + check.durationMs;
  let before = await counters();
  let fresh = nothing;
  let live = nothing;
  while (!signal.aborted) {
    const leftMs = endMs - clock.nowMs();
    await clock.sleep(leftMs > 0 ? Math.min(lookEveryMs, leftMs) : lookEveryMs);
    const now = await counters();
    if (signal.aborted) return undefined;
    if (now === undefined) {
      if (clock.nowMs() >= endMs + patienceMs) return unseen;
      continue;
    }
    // What was counted before the first look is not of this check.
    const since = before ?? now;
    fresh = addGrowth(fresh, { before: since, now, destinations: versions.fresh });
    live = addGrowth(live, { before: since, now, destinations: versions.live });
    before = now;
    const judgement = judgeVersion(check, { fresh, live }, clock.nowMs() >= endMs);
    if (judgement !== undefined) return judgement;
  }
  return undefined;
}

const nothing: VersionCounts = { requests: 0, errors: 0 };

const unseen: Judgement = { verdict: "unknown", detail: "the proxies could not be asked what they have counted" };

/** The destinations of the new version, and those of all others that the release moves. */
function destinationsOf({ steps, to }: ReleasePlan): Readonly<Record<"fresh" | "live", ReadonlySet<DestinationId>>> {
  const fresh = new Set<DestinationId>();
  const live = new Set<DestinationId>();
  for (const move of steps.flatMap((step) => ("moves" in step ? step.moves : []))) {
    for (const { name, destinations } of move.versions) {
      for (const destination of destinations) (name === to || name === move.to ? fresh : live).add(destination);
    }
  }
  return { fresh, live };
}

interface Growth {
  readonly before: CountersByDestination;
  readonly now: CountersByDestination;
  readonly destinations: ReadonlySet<DestinationId>;
}

function addGrowth(sum: VersionCounts, { before, now, destinations }: Growth): VersionCounts {
  let { requests, errors } = sum;
  for (const destination of destinations) {
    const after = now.get(destination);
    if (after === undefined) continue;
    const known = before.get(destination) ?? nothing;
    const hasRestarted = after.requests < known.requests || after.errors < known.errors;
    const from = hasRestarted ? nothing : known;
    requests += after.requests - from.requests;
    errors += after.errors - from.errors;
  }
  return { requests, errors };
}
