import type { WaitGoal } from "./wait.ts";

/** Where a release is, as far as somebody waits for it. */
export interface WaitedPhase {
  /** Of a release, or of a Release of a cluster. */
  readonly phase: string;
  /** Whether nothing but a person ends it, where it is a hold. */
  readonly isEndless: boolean;
}

/** 0 where the goal is reached, 1 where the release has come to another end, undefined while it goes on. */
export function findWaitEnd(waited: WaitedPhase, goal: WaitGoal): 0 | 1 | undefined {
  if (reaches(waited, goal)) return 0;
  return stopped.has(waited.phase) ? 1 : undefined;
}

/** What does not go on by itself, or not at all: a failed release waits for a person, and a refused one for another file. */
const stopped: ReadonlySet<string> = new Set(["done", "aborted", "rolledBack", "failed", "refused"]);

function reaches({ phase, isEndless }: WaitedPhase, goal: WaitGoal): boolean {
  switch (goal) {
    case "done":
    case "failed":
      return phase === goal;
    case "paused":
      return phase === "paused" || phase === "awaiting" || (phase === "holding" && isEndless);
  }
}
