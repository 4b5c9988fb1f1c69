import { foldJournal } from "../engine/fold-journal.ts";
import { readJournal } from "../engine/journal.ts";
import type { TimelineEntry } from "../engine/report.ts";
import { selectTimeline } from "../engine/timeline.ts";
import { KirikaeError } from "../core/diagnostics/error.ts";
import { isCalled } from "../core/release/move/is-called.ts";
import { locateStateFolder } from "../local/state-folder.ts";
import { connect } from "./connect.ts";
import { unknownName } from "./unknown-service.ts";

/**
 * The moves that the journal knows of and what happened to releases, oldest first, read beside a running `up` or without
 * one: of one service or one release where one is named. Throws KIR5060 for a name that neither the journal nor a running
 * `up` knows.
 */
export async function readHistory(env: NodeJS.ProcessEnv, name: string | undefined): Promise<readonly TimelineEntry[]> {
  const { history, releases, timeline } = foldJournal(readJournal(locateStateFolder(env).journal));
  const entries = selectTimeline(timeline, { releases, name });
  if (name === undefined || entries.length > 0) return entries;
  const running = await readRunningNames(env);
  if (running.some((known) => isCalled(known, name))) return [];
  throw unknownName(
    name,
    [
      ...new Set([
        ...running,
        ...history.map(({ virtualService }) => virtualService),
        ...releases.all.map(({ plan }) => plan.release),
      ]),
    ].toSorted(),
  );
}

async function readRunningNames(env: NodeJS.ProcessEnv): Promise<readonly string[]> {
  try {
    const { services } = await (await connect(env)).status();
    return services.map(({ virtualService }) => virtualService);
  } catch (error) {
    // Without a running `up` the journal alone says what there is.
    if (error instanceof KirikaeError && (error.code === "KIR5050" || error.code === "KIR5059")) return [];
    throw error;
  }
}
