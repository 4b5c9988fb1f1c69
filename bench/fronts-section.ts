import type { Backends } from "./backends.ts";
import type { BenchSize } from "./bench-size.ts";
import type { Front } from "./front.ts";
import { apacheGraceful } from "./fronts/apache.ts";
import { haproxyRuntime } from "./fronts/haproxy.ts";
import { kirikae } from "./fronts/kirikae.ts";
import { nginxFlagFile, nginxReload } from "./fronts/nginx.ts";
import { renderCount, renderMs, renderTable } from "./markdown.ts";
import { measureFront, spreadOf, type FrontFigures } from "./measure-switches.ts";

const fronts: readonly Front[] = [kirikae, haproxyRuntime, nginxFlagFile, nginxReload, apacheGraceful];

/** Every front that is installed, one after the other, under the same load and before the same backends. */
export async function benchFronts(backends: Backends, folder: string, size: BenchSize): Promise<string> {
  const figures: FrontFigures[] = [];
  const missing: string[] = [];
  for (const front of fronts) {
    const absent = await front.missing();
    if (absent === undefined) {
      size.report(`${front.name}: ${size.switches} switches`);
      figures.push(await measureFront(front, { backends, folder }, { ...size, gapMs: size.gapMs }));
    } else {
      missing.push(`${front.name} (Debian package \`${absent}\`)`);
    }
  }
  return `${intro(backends, size)}

${renderTable(header, figures.map(frontRow))}

${figures.map(proofNote).join("")}${missing.length === 0 ? "" : `\nNot installed, so not measured: ${missing.join(", ")}.\n`}`;
}

function intro(backends: Backends, size: BenchSize): string {
  const share = Math.round(size.newConnectionShare * 100);
  return `${size.switches} switches there and back each, under ${renderCount(size.requestsPerSecond)} requests/s over
${size.connections} keep-alive connections, ${share} % of the requests on a connection of their own. Times in ms from the call, median / p99 / highest.
Versions answer from ${backends.program}; load, proxy and versions share the machine.`;
}

/** kirikae's call does more than push: it plans, asks the versions whether they answer, and writes the journal. */
function proofNote({ name, switches }: FrontFigures): string {
  const proof = spreadOf(switches.map((measured) => measured.proofMs));
  if (Number.isNaN(proof.median)) return "";
  const [median, p99, max] = [proof.median, proof.p99, proof.max].map(renderMs);
  return `The call of ${name} includes plan, preflight and journal; from the push until the last proof it took ${median} / ${p99} / ${max}.\n`;
}

const header = [
  "front",
  "call until told done",
  "first new answer",
  "last old request sent",
  "old answers to requests sent after done",
  "failed / requests",
  "latency p50",
  "p99",
];

function frontRow({ name, version, switches, load, notSent }: FrontFigures): readonly string[] {
  const spread = (read: (measured: FrontFigures["switches"][number]) => number | undefined): string => {
    const { median, p99, max } = spreadOf(switches.map(read));
    return `${renderMs(median)} / ${renderMs(p99)} / ${renderMs(max)}`;
  };
  const oldAfterDone = switches.reduce((sum, measured) => sum + measured.oldAfterDone, 0);
  return [
    `${name} (${version})`,
    spread((measured) => measured.callMs),
    spread((measured) => measured.firstNewMs),
    spread((measured) => measured.lastOldSentMs ?? 0),
    renderCount(oldAfterDone),
    `${renderCount(load.failed)} / ${renderCount(load.requests)}${notSent > 100 ? ` (${renderCount(notSent)} could not be sent)` : ""}`,
    renderMs(load.p50Ms),
    renderMs(load.p99Ms),
  ];
}
