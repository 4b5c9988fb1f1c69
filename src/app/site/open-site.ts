import { type Journal, openJournal } from "../../engine/journal.ts";
import { acquireLock } from "../../engine/lock.ts";
import { locateStateFolder, openStateFolder, type StatePaths } from "../../local/state-folder.ts";
import { type AssembledSite, type AssembleOptions, assembleSite } from "./assemble-site.ts";
import { siteEnvironment } from "./site-state.ts";
import { openJournalToRead } from "./unwritten-journal.ts";

export interface OpenSiteOptions extends Omit<AssembleOptions, "journal" | "heedsReleases"> {
  /** `write` is for one process at a time, and ends first what an earlier one has left; `read` changes nothing. */
  readonly access: "read" | "write";
}

export interface OpenedSite extends AssembledSite {
  readonly state: StatePaths;
}

/**
 * The engine of a site, on a journal of its own. The stack ends it.
 * @throws KirikaeError KIR2022 where another process moves this site, KIR2020 and KIR2023 for its journal
 */
export async function openSite(
  options: OpenSiteOptions,
  env: NodeJS.ProcessEnv,
  stack: AsyncDisposableStack,
): Promise<OpenedSite> {
  const { state, journal } = await openState(options, env, stack);
  const assembled = assembleSite({ ...options, journal, heedsReleases: true }, stack);
  await assembled.sidecars.ask();
  return { ...assembled, state };
}

interface OpenedState {
  readonly state: StatePaths;
  readonly journal: Journal;
}

async function openState(
  { connection, others = [], access }: OpenSiteOptions,
  env: NodeJS.ProcessEnv,
  stack: AsyncDisposableStack,
): Promise<OpenedState> {
  const contexts = [connection, ...others.map((other) => other.connection)].map(({ options }) => options.context);
  const own = siteEnvironment(env, ...contexts);
  if (access === "read") {
    const state = locateStateFolder(own);
    return { state, journal: stack.use(openJournalToRead(state.journal)) };
  }
  const state = await openStateFolder(own);
  const owner = { pid: process.pid, since: new Date().toISOString(), folder: `context ${contexts.join(", ")}` };
  // Nobody else moves one of several clusters by itself meanwhile.
  const each = contexts.length === 1 ? [] : contexts.map((context) => siteEnvironment(env, context));
  for (const { lock, lockOwner } of [state, ...(await Promise.all(each.map(openStateFolder)))]) {
    stack.use(acquireLock({ lockFile: lock, ownerFile: lockOwner, owner }));
  }
  return { state, journal: stack.use(openJournal(state.journal)) };
}
