import type { ReleaseStatus } from "../../api/types.ts";
import { foldJournal } from "../../engine/fold-journal.ts";
import { locateStateFolder } from "../../local/state-folder.ts";
import { describeStored } from "./releases/describe-stored.ts";
import { siteEnvironment } from "./site-state.ts";
import { openJournalToRead } from "./unwritten-journal.ts";

/**
 * The releases that were begun from this machine on these clusters together, oldest first, as their journal has them:
 * no cluster is asked, and nothing is written.
 * @throws KIR2020, KIR2021 and KIR2023 for a journal that cannot be read
 */
export function readLeftReleases(env: NodeJS.ProcessEnv, contexts: readonly string[]): readonly ReleaseStatus[] {
  const { journal } = locateStateFolder(siteEnvironment(env, ...contexts));
  using opened = openJournalToRead(journal);
  return foldJournal(opened.read()).releases.all.map(describeStored);
}
