import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { Backends } from "./backends.ts";
import type { BenchSize } from "./bench-size.ts";
import { startKirikae } from "./fronts/kirikae.ts";
import { renderCount, renderMs, renderTable } from "./markdown.ts";
import { measureSwitches, spreadOf, type MeasuredSwitch } from "./measure-switches.ts";

const switchesPerRound = 50;

/** Switches there and back without a pause, looking for one failed request or one old answer. */
export async function benchLongRun(backends: Backends, folder: string, size: BenchSize): Promise<string> {
  const own = join(folder, "long-run");
  await mkdir(own);
  await using running = await startKirikae(backends, own, { others: 0 });
  const switches: MeasuredSwitch[] = [];
  const sums = { requests: 0, failed: 0 };
  while (switches.length < size.longRunSwitches) {
    // An even number of switches, so that each round begins on blue as the first did.
    const count = Math.min(switchesPerRound, size.longRunSwitches - switches.length);
    const round = await measureSwitches(running, { ...size, switches: count - (count % 2), gapMs: 20 });
    if (round.switches.length === 0) break;
    switches.push(...round.switches);
    sums.requests += round.load.requests;
    sums.failed += round.load.failed;
    size.report(`${switches.length} switches, ${sums.failed} failed of ${sums.requests} requests`);
  }
  const told = spreadOf(switches.map((measured) => measured.callMs));
  const proof = spreadOf(switches.map((measured) => measured.proofMs));
  const oldAfterDone = switches.reduce((sum, measured) => sum + measured.oldAfterDone, 0);
  const spread = ({ median, p99, max }: typeof told): string =>
    `${renderMs(median)} / ${renderMs(p99)} / ${renderMs(max)}`;
  return `Under ${renderCount(size.requestsPerSecond)} requests/s, as above. Times in ms, median / p99 / highest.

${renderTable(
  ["", ""],
  [
    ["switches", renderCount(switches.length)],
    ["requests", renderCount(sums.requests)],
    ["failed", renderCount(sums.failed)],
    ["answers of the old version to requests sent after the caller was told", renderCount(oldAfterDone)],
    ["call until proof, as kirikae reports it", spread(proof)],
    ["call until the caller was told, plan and preflight included", spread(told)],
  ],
)}`;
}
