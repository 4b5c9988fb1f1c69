import { KirikaeError } from "../core/diagnostics/error.ts";
import { findRelease, type ReleaseName } from "../core/release/describe/find-release.ts";
import type { ReleaseReport } from "../core/release/report/release-report.ts";
import { foldJournal } from "../engine/fold-journal.ts";
import { readJournal } from "../engine/journal.ts";
import { reportRelease } from "../engine/report-release.ts";
import { locateStateFolder } from "../local/state-folder.ts";
import { connect } from "./connect.ts";

/**
 * The report of the newest release of that name: from the running `up`, which knows what was answered since the last
 * event, or else from the journal. Throws KIR2035 and KIR2036.
 */
export async function readReport(env: NodeJS.ProcessEnv, name: ReleaseName): Promise<ReleaseReport> {
  try {
    const api = await connect(env);
    const { release } = await api.release(name.name, { namespace: name.namespace, live: false });
    return await api.report(release);
  } catch (error) {
    if (error instanceof KirikaeError && (error.code === "KIR5050" || error.code === "KIR5059"))
      return reportFromJournal(env, name);
    throw error;
  }
}

function reportFromJournal(env: NodeJS.ProcessEnv, name: ReleaseName): ReleaseReport {
  const { releases, history } = foldJournal(readJournal(locateStateFolder(env).journal));
  const release = findRelease(releases.all, name, ({ plan }) => plan.release);
  return reportRelease(release, { atMs: Date.now(), history });
}
