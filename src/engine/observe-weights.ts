import { isSameShare } from "../core/release/move/split-weights.ts";
import type { SplitChange } from "../core/release/move/move.ts";
import type { Clock, ObservedSplit, Target } from "./ports.ts";

/** What the proxies show of a set of changes, taken together; `gone` where there is nothing left to ask them about. */
export type Sight = "after" | "before" | "other" | "unseen" | "gone";

export interface SightOptions {
  readonly target: Target;
  readonly clock: Clock;
  /** What to say when a change has the same weights before and after. */
  readonly preferring: "after" | "before";
  /** How long to keep asking while no proxy answers: one that has crashed is coming back. */
  readonly patienceMs: number;
}

const askAgainMs = 50;

/** Asks the proxies which weights are live. Weights count as the same when every share is. */
export async function observeChanges(changes: readonly SplitChange[], options: SightOptions): Promise<Sight> {
  const { target, clock, patienceMs, preferring } = options;
  if (changes.length === 0) return "gone";
  const deadline = clock.nowMs() + patienceMs;
  for (;;) {
    const observed = await target.observe(changes.map(({ split }) => split));
    const sight = judge(changes, { observed, preferring });
    if (sight !== "unseen" || clock.nowMs() >= deadline) return sight;
    await clock.sleep(askAgainMs);
  }
}

function judge(
  changes: readonly SplitChange[],
  { observed, preferring }: { readonly observed: readonly ObservedSplit[]; readonly preferring: "after" | "before" },
): Sight {
  const weightsOf = new Map(observed.map(({ split, weights }) => [split, weights]));
  if (changes.some(({ split }) => weightsOf.get(split) === undefined)) return "unseen";
  const shows = (which: "before" | "after"): boolean =>
    changes.every((change) => isSameShare(weightsOf.get(change.split) ?? {}, change[which]));
  const other = preferring === "after" ? "before" : "after";
  if (shows(preferring)) return preferring;
  return shows(other) ? other : "other";
}
