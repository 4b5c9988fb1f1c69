import { renderDuration } from "../../diagnostics/render-duration.ts";
import type { Check, ExternalJudge, LatencyLimit } from "../../manifest/release.ts";

/** `at least 99 % good, p99 at most 300 ms, over 1 min and 20 requests`, and what follows where it is not so. */
export function describeCheck(check: Check): string {
  const { minSuccessPercent, comparesWithLive, durationMs, initialDelayMs, minRequests, isDryRun } = check;
  const wanted = [
    ...(minSuccessPercent === undefined ? [] : [`at least ${minSuccessPercent} % good`]),
    ...(comparesWithLive ? ["not worse than the version before"] : []),
    ...check.latency.flatMap(describeLimit),
    ...(check.maxEjections === undefined ? [] : [`at most ${check.maxEjections} ejections`]),
    ...(check.maxDifferentPercent === undefined ? [] : [`at most ${check.maxDifferentPercent} % different answers`]),
    ...check.judges.map(describeJudge),
  ];
  const delay = initialDelayMs === 0 ? "" : `, after ${renderDuration(initialDelayMs)}`;
  const over = `over ${renderDuration(durationMs)} and ${minRequests} requests${delay}`;
  return `${wanted.join(", ")}, ${over}${isDryRun ? ", in a dry run" : ""}`;
}

function describeLimit({ percentile, maxMs, maxTimesLive }: LatencyLimit): readonly string[] {
  return [
    ...(maxMs === undefined ? [] : [`p${percentile} at most ${renderDuration(maxMs)}`]),
    ...(maxTimesLive === undefined ? [] : [`p${percentile} at most ${maxTimesLive} times that of the version before`]),
  ];
}

function describeJudge({ name, ask, isDryRun }: ExternalJudge): string {
  return `the yes of ${name} (${ask.kind}${isDryRun ? ", in a dry run" : ""})`;
}
