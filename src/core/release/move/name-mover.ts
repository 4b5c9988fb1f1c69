import type { MovePlan } from "./move.ts";

const ofRelease = /^release (?<release>[^\s,/]+\/[^\s,/]+)(?:$|,)/u;

/** Whose doing a move is, for notes beside what it writes: `release ns/name`, or the person. */
export function nameMover({ actor, reason = "" }: Pick<MovePlan, "actor" | "reason">): string {
  const { release } = ofRelease.exec(reason)?.groups ?? {};
  return release === undefined ? actor : nameRelease(release);
}

/** The same of a release by its `namespace/name`. */
export function nameRelease(release: string): string {
  return `release ${release}`;
}
