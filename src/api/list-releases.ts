import { isOver } from "../core/release/state/release-phase.ts";
import { summarizeRelease } from "./summarize-release.ts";
import type { ReleaseBackend, ReleaseSummary } from "./types.ts";

/** The most that one answer lists, and how many it lists unless told. */
export const maxListed = 500;
export const listed = 100;

/** Which releases a list holds. */
export interface ReleaseQuery {
  /** 100 where it is not given. */
  readonly limit?: number | undefined;
  /** The id of a release; only those started before it. An id that is not known has none before it. */
  readonly before?: string | undefined;
  /** Without those that are over. */
  readonly active?: true | undefined;
  /** Asks the proxies too. */
  readonly live?: true | undefined;
}

/** Newest first. */
export async function listReleases(
  releases: Pick<ReleaseBackend, "list" | "look">,
  { limit, before, active, live }: ReleaseQuery,
): Promise<readonly ReleaseSummary[]> {
  const newestFirst = releases.list().toReversed();
  const from = before === undefined ? 0 : newestFirst.findIndex(({ id }) => id === before) + 1;
  const after = before !== undefined && from === 0 ? [] : newestFirst.slice(from);
  const chosen = active === true ? after.filter(({ phase }) => !isOver({ kind: phase })) : after;
  const page = chosen.slice(0, Math.min(limit ?? listed, maxListed)).map(summarizeRelease);
  if (live !== true) return page;
  const seen = await releases.look(page.map(({ id }) => id));
  return page.map((release) => ({ ...release, live: seen.get(release.id) ?? null }));
}
