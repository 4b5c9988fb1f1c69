import { type Judgement, judgeVersion, type VersionCounts } from "../core/release/judge.ts";
import type { PlannedStep, ReleasePlan } from "../core/release/plan-release.ts";
import type { DestinationId } from "../core/routes/route-table.ts";
import type { Clock } from "./ports.ts";

/** Requests by destination since a proxy began; one that was restarted begins at 0 again. */
export type CountersByDestination = ReadonlyMap<DestinationId, VersionCounts>;

export interface CheckOptions {
  readonly plan: ReleasePlan;
  readonly check: Extract<PlannedStep, { readonly kind: "check" }>;
  readonly counters: () => Promise<CountersByDestination>;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

const lookEveryMs = 1_000;

/** Counts from now and judges once a second; undefined when it was told to stop. */
export async function runCheck({ plan, check, counters, clock, signal }: CheckOptions): Promise<Judgement | undefined> {
  const versions = destinationsOf(plan);
  const endMs = clock.nowMs() + check.durationMs;
  let before = await counters();
  let fresh: VersionCounts = { requests: 0, errors: 0 };
  let live: VersionCounts = { requests: 0, errors: 0 };
  while (!signal.aborted) {
    await clock.sleep(Math.max(0, Math.min(lookEveryMs, endMs - clock.nowMs())));
    const now = await counters();
    fresh = addGrowth(fresh, { before, now, destinations: versions.fresh });
    live = addGrowth(live, { before, now, destinations: versions.live });
    before = now;
    const judgement = judgeVersion(check, { fresh, live }, clock.nowMs() >= endMs);
    if (judgement !== undefined && !signal.aborted) return judgement;
  }
  return undefined;
}

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
    const known = before.get(destination) ?? { requests: 0, errors: 0 };
    const from = after.requests < known.requests ? { requests: 0, errors: 0 } : known;
    requests += after.requests - from.requests;
    errors += after.errors - from.errors;
  }
  return { requests, errors };
}
